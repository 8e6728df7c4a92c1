fn main() {
    uniffi::generate_scaffolding("src/lnurl_channel.udl").expect("the UDL is valid");
}
