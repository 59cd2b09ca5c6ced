use super::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use webrtc::runtime::TokioRuntime;

fn block<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn failure(host: &str, port: u16) -> Error {
    let stack: Arc<dyn Runtime> = Arc::new(TokioRuntime);
    Wire::connect(host, port, Some([0; 32].into()), &stack).await.err().expect("no connection")
}

#[test]
fn invalid_host_names_are_reported() {
    for name in ["", "a b", "..", "-x-.example\u{e9}"] {
        let error = block(failure(name, 1));
        assert!(matches!(error, Error::Name(_)), "{name}: {error}");
        assert_eq!(error.reason().fault(), Some(proto::Fault::Network));
    }
}

#[test]
fn a_closed_port_is_reported_as_refused() {
    block(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(matches!(failure("127.0.0.1", port).await, Error::Refused(_)));
    });
}

#[test]
fn a_server_without_tls_is_a_tls_error() {
    block(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The client may have disconnected already.
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        });
        assert!(matches!(failure("127.0.0.1", port).await, Error::Tls(_)));
        server.await.unwrap();
    });
}
