//! An empty UniFFI library; with the feature `http`, one that can GET.

uniffi::setup_scaffolding!();

/// Gives back what it is given.
#[uniffi::export]
pub fn echo(text: String) -> String {
    text
}

/// The body behind a URL, or why there is none.
#[cfg(feature = "http")]
#[uniffi::export]
pub fn get(url: String) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(http::get(&url)),
        Err(error) => error.to_string(),
    }
}

#[cfg(feature = "http")]
mod http {
    use std::sync::Arc;

    pub async fn get(url: &str) -> String {
        body(url).await.unwrap_or_else(|error| error.to_string())
    }

    async fn body(url: &str) -> reqwest::Result<String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls())
            .build()?;
        client.get(url).send().await?.text().await
    }

    fn tls() -> rustls::ClientConfig {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows both versions")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}
