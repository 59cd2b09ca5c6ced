//! The proxy settings of Windows (the registry's Internet Settings) and macOS (System Configuration): a fixed proxy and its exceptions.
//! Automatic configuration (PAC, WPAD) is not evaluated.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Returns the URL of the proxy for the server at `url`; empty if there is none. Does not block.
pub fn proxies_for(url: &str) -> Vec<String> {
    ask(&Matcher::from_system(), url)
}

fn ask(settings: &Matcher, url: &str) -> Vec<String> {
    let proxy = url.parse::<Uri>().ok().and_then(|server| settings.intercept(&server));
    proxy.map(|proxy| proxy.uri().to_string()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_through_the_proxy_unless_it_is_an_exception() {
        let settings = Matcher::builder().https("proxy.example:3128").no("intern.example, 2001:db8::/32").build();
        assert_eq!(ask(&settings, "https://meet.example"), ["http://proxy.example:3128/"]);
        assert_eq!(ask(&settings, "https://192.0.2.7"), ["http://proxy.example:3128/"]);
        assert!(
            ask(&settings, "https://meet.intern.example").is_empty()
                && ask(&settings, "https://[2001:db8::7]").is_empty()
        );
        assert!(ask(&settings, "https://no host").is_empty());
    }
}
