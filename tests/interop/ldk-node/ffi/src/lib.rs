node::uniffi_reexport_scaffolding!();
