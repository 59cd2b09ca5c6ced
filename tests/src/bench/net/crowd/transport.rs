//! What all simulated members have: a connection to the server, and an endpoint of the SFU that publishes a camera.

use crate::attack::wire::{Tls, connect_tls};
use crate::bench::net::clip::SMALL;
use crate::sfu::{Client, offer_of};
use anyhow::{Context, Result};
use crypto::Sealed;
use futures_util::{SinkExt, StreamExt};
use proto::{
    Blob, ClientMessage, FromSfu, Kind, Published, ServerMessage, ServerSignal, Slot, SpatialLayer, ToSfu, Up,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::time::sleep_until;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The connections of one member.
pub struct Transport {
    socket: WebSocketStream<Tls>,
    udp: UdpSocket,
    client: Client,
    /// True after the SFU has named the layers that are wanted.
    demanded: bool,
}

impl Transport {
    /// Connects to the server.
    pub async fn connect(server: SocketAddr) -> Result<Self> {
        let tls = connect_tls(Ipv4Addr::LOCALHOST.into(), server).await?;
        let (socket, _) = tokio_tungstenite::client_async(format!("wss://{server}/v1"), tls).await?;
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let client = Client::new(udp.local_addr()?, Instant::now());
        Ok(Self { socket, udp, client, demanded: false })
    }

    /// Sends a message of meeting control.
    pub async fn send(&mut self, message: Up) -> Result<()> {
        self.send_message(&ClientMessage::Meeting(message)).await
    }

    async fn send_message(&mut self, message: &ClientMessage) -> Result<()> {
        Ok(self.socket.send(Message::Binary(proto::encode(message).into())).await?)
    }

    /// Publishes a camera and a microphone.
    pub async fn publish(&mut self) -> Result<()> {
        let [sound, pictures] = self.client.add_microphone_and_camera(LAYER);
        let microphone = Published { slot: Slot::Microphone, kind: Kind::Audio, mid: sound, layers: Vec::new() };
        let camera = Published { slot: Slot::Camera, kind: Kind::Video, mid: pictures, layers: vec![LAYER] };
        let published = vec![microphone, camera];
        let sdp = self.client.offer().context("an offer")?;
        let offer = offer_of(1, &sdp, published);
        self.send_message(&ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(&offer))))).await
    }

    /// Returns the next message of meeting control. Exchanges media until then. Returns `None` at `until`.
    pub async fn next(&mut self, until: Instant) -> Result<Option<proto::Down>> {
        loop {
            self.exchange();
            tokio::select! {
                message = self.socket.next() => {
                    let message = message.context("the server has closed the connection")??;
                    let Message::Binary(bytes) = message else { continue };
                    match proto::decode(&bytes).context("a message of the protocol")? {
                        ServerMessage::Meeting(message) => return Ok(Some(message)),
                        ServerMessage::Sfu(message) => self.handle(message),
                    }
                }
                ready = self.udp.readable() => ready?,
                () = sleep_until(until.into()) => return Ok(None),
            }
        }
    }

    /// Passes datagrams between the socket and the endpoint.
    fn exchange(&mut self) {
        let mut buffer = [0; 2_000];
        while let Ok((length, source)) = self.udp.try_recv_from(&mut buffer) {
            self.client.handle_datagram(source, &buffer[..length], Instant::now());
        }
        for (destination, bytes) in self.client.poll(Instant::now()) {
            // A datagram that finds no room is lost, as on any network.
            let _ = self.udp.try_send_to(&bytes, destination);
        }
        // Nobody reads them.
        self.client.received.clear();
        self.client.sound.clear();
    }

    fn handle(&mut self, message: FromSfu) {
        let FromSfu::Signal(bytes) = message else { return };
        let Ok(signal) = proto::decode_signal::<ServerSignal>(&bytes.0) else { return };
        self.demanded |= matches!(signal, ServerSignal::TrackDemand { .. });
        self.client.handle_signal(signal);
        self.client.signals.clear();
    }

    /// Returns whether somebody wants the camera.
    pub fn is_wanted(&self) -> bool {
        self.demanded && self.client.connected() && self.client.wants_camera()
    }

    /// Returns whether the next frame must be a key frame.
    pub fn needs_key(&self) -> bool {
        self.client.needs_key()
    }

    /// Sends a frame of the camera.
    pub fn send_frame(&mut self, frame: &Sealed) {
        self.client.send_sealed(frame, Instant::now());
        self.exchange();
    }
}

const LAYER: SpatialLayer =
    SpatialLayer { spatial: 0, width: SMALL.size.width, height: SMALL.size.height, bitrate: 150_000 };
