//! Asks `NetworkManager` whether the network is metered, and listens to its changes (`org.freedesktop.NetworkManager`, property
//! `Metered`), by one connection to the system's bus.

use iced::futures::StreamExt as _;
use std::time::Duration;
use tokio::time::timeout;
use zbus::fdo::{PropertiesChangedStream, PropertiesProxy};
use zbus::proxy::CacheProperties;
use zbus::{Connection, Proxy};

/// A connection to the system's bus. Its methods need a runtime of tokio.
pub struct Monitor {
    /// `None` if there is no bus.
    manager: Option<NetworkManager>,
    /// True if `NetworkManager` answered the last call.
    answers: bool,
    /// How long a service of the system may take to answer.
    limit: Duration,
}

struct NetworkManager {
    proxy: Proxy<'static>,
    changes: PropertiesChangedStream,
}

impl Monitor {
    /// Connects to the system's bus. Waits for half a second at most.
    pub async fn open() -> Self {
        Self::on(Connection::system(), MAX_WAIT).await
    }

    async fn on(bus: impl Future<Output = zbus::Result<Connection>>, limit: Duration) -> Self {
        let connect = async { NetworkManager::open(bus.await?).await };
        let manager = timeout(limit, connect).await.ok().and_then(Result::ok);
        if manager.is_none() {
            tracing::debug!("no system bus: the network is polled");
        }
        Self { manager, answers: false, limit }
    }

    /// Returns whether `NetworkManager` says that the network is metered. `None` if it does not run or does not know. Waits for half a
    /// second at most.
    pub async fn is_metered(&mut self) -> Option<bool> {
        let manager = self.manager.as_ref()?;
        let value = timeout(self.limit, manager.proxy.get_property::<u32>("Metered")).await;
        let value = value.ok().and_then(Result::ok);
        self.answers = value.is_some();
        value.and_then(means_metered)
    }

    /// Waits until `NetworkManager` reports a change of the network. Waits forever if it does not run. Cancel-safe.
    pub async fn changed(&mut self) {
        if let Some(manager) = &mut self.manager {
            if manager.changes.next().await.is_some() {
                return;
            }
            // The bus has closed the connection.
            (self.manager, self.answers) = (None, false);
        }
        std::future::pending::<()>().await;
    }

    /// Returns true if the caller must poll the network, because no service reports changes.
    pub fn needs_polls(&self) -> bool {
        !self.answers
    }
}

impl NetworkManager {
    async fn open(connection: Connection) -> zbus::Result<Self> {
        let proxy = zbus::proxy::Builder::new(&connection)
            .destination(NAME)?
            .path(PATH)?
            .interface(NAME)?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let properties = PropertiesProxy::builder(&connection)
            .destination(NAME)?
            .path(PATH)?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        // Another primary connection, another state and another value of `Metered` all change the properties of this object.
        let changes = properties.receive_properties_changed().await?;
        Ok(Self { proxy, changes })
    }
}

/// Returns what a value of `NMMetered` means: yes, no, and the same as a guess. 0 is unknown.
const fn means_metered(value: u32) -> Option<bool> {
    match value {
        1 | 3 => Some(true),
        2 | 4 => Some(false),
        _ => None,
    }
}

const NAME: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";

/// How long a service of the system may take to answer.
const MAX_WAIT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bus::TestBus;

    #[test]
    fn network_manager_says_whether_the_network_is_metered() {
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(means_metered),
            [None, Some(true), Some(false), Some(true), Some(false), None]
        );
    }

    /// Longer than a busy computer needs.
    const LIMIT: Duration = Duration::from_mins(1);

    /// Stands for `NetworkManager`.
    struct FakeNetworkManager(u32);

    #[zbus::interface(name = "org.freedesktop.NetworkManager")]
    impl FakeNetworkManager {
        #[zbus(property)]
        fn metered(&self) -> u32 {
            self.0
        }
    }

    /// Over a real bus: each change is told, by one connection and without a poll.
    #[test]
    fn a_change_is_told_by_a_signal() {
        let Some(bus) = TestBus::start() else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let address: zbus::Address = bus.address().parse().unwrap();
        let connect = async { zbus::connection::Builder::address(address)?.build().await };
        let mut monitor = runtime.block_on(Monitor::on(connect, LIMIT));
        assert_eq!(runtime.block_on(monitor.is_metered()), None);
        assert!(monitor.needs_polls(), "NetworkManager does not run");

        let service = bus.connect().serve_at(PATH, FakeNetworkManager(4)).unwrap().name(NAME).unwrap().build().unwrap();
        assert_eq!(runtime.block_on(monitor.is_metered()), Some(false));
        assert!(!monitor.needs_polls());

        let object = service.object_server().interface::<_, FakeNetworkManager>(PATH).unwrap();
        object.get_mut().0 = 1;
        zbus::block_on(object.get().metered_changed(object.signal_emitter())).unwrap();
        let told = async {
            timeout(LIMIT, monitor.changed()).await.expect("a signal");
            monitor.is_metered().await
        };
        assert_eq!(runtime.block_on(told), Some(true));
        drop((object, service));
    }
}
