//! The text that describes what the links of a [`super::Netlab`] do, such as `down=10M,300k@40s loss=2%`.
//!
//! Settings are separated by spaces. Each is `[PARTICIPANT.]WHAT=VALUE[,VALUE@TIME]...`:
//!
//! | setting | effect |
//! |---|---|
//! | `down=RATE` | limits the rate from the server to the receiver |
//! | `up=RATE` | limits the rate from the sender to the server |
//! | `loss=PERCENT` | drops UDP packets at random, in each direction of the receiver's link |
//! | `delay=TIME` | delays all packets, in each direction of the receiver's link |
//! | `jitter=TIME` | the standard deviation of the delay, which should be at least twice as long; the order stays |
//! | `burst=PERCENTxMIN-MAX` | drops packets in runs of MIN to MAX, PERCENT in all, in each direction of the receiver's link |
//! | `reorder=PERCENT` | lets later packets overtake some, in each direction of the receiver's link |
//! | `duplicate=PERCENT` | duplicates packets, in each direction of the receiver's link |
//! | `queue=TIME` | the longest time that a packet waits at a limit before it is dropped, `200ms` by default |
//! | `free` | nothing |
//!
//! `down`, `up` and `loss` are limits of the kernel. For the others, a thread of this process forwards all packets of the link,
//! UDP and TCP (`tun_link.rs`).
//!
//! `sender.down`, `receiver.up`, `sender.loss` and so on set the other participant's link. A rate is a number of bits per second with
//! `k` or `M`, or `free`. A time is a number with `s` or `ms`.

use crate::impairment::{Fraction, Impairment, LossBursts};
use media::Bitrate;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What the links do. The default limits nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// The changes of the links, in the order of their times. Those at time 0 are there from the beginning.
    pub changes: Vec<LinkChange>,
    /// The longest time that a packet waits at a rate limit.
    pub queue: Duration,
    /// The number of guests, each with a link of its own.
    pub guests: u8,
}

/// A change of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// When the link changes, from the start of the schedule.
    pub at: Duration,
    /// The participant whose link changes.
    pub participant: Participant,
    /// The change.
    pub setting: LinkSetting,
}

/// The participant at the other end of a link of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Participant {
    /// The participant whose pictures are measured.
    Sender,
    /// The participant that measures them.
    Receiver,
    /// A further participant, by number from 0.
    Guest(u8),
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSetting {
    /// The rate limit from the server to the participant. `None` removes it.
    Down(Option<Bitrate>),
    /// The rate limit from the participant to the server. `None` removes it.
    Up(Option<Bitrate>),
    /// The share of UDP packets that each direction loses.
    Loss(Fraction),
    /// The delay of each direction.
    Delay(Duration),
    /// The standard deviation of the delay.
    Jitter(Duration),
    /// The packets that each direction loses in a row.
    Bursts(LossBursts),
    /// The share of packets that later ones overtake.
    Reorder(Fraction),
    /// The share of packets that arrive twice.
    Duplicate(Fraction),
}

/// A text is not a specification of links.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a setting of a link: {why}")]
pub struct Error {
    text: String,
    why: &'static str,
}

impl LinkSetting {
    /// Returns true if this is a setting of a `TunLink`. The kernel makes the others.
    #[must_use]
    pub fn needs_tun_link(self) -> bool {
        match self {
            Self::Down(_) | Self::Up(_) | Self::Loss(_) => false,
            Self::Delay(_) | Self::Jitter(_) | Self::Bursts(_) | Self::Reorder(_) | Self::Duplicate(_) => true,
        }
    }

    /// Changes `impairment` if this is a setting of a `TunLink`.
    pub(super) fn change(self, impairment: &mut Impairment) {
        match self {
            Self::Down(_) | Self::Up(_) | Self::Loss(_) => {}
            Self::Delay(delay) => impairment.delay = delay,
            Self::Jitter(jitter) => impairment.jitter = jitter,
            Self::Bursts(bursts) => impairment.bursts = Some(bursts),
            Self::Reorder(share) => impairment.reorder = share,
            Self::Duplicate(share) => impairment.duplicate = share,
        }
    }
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self { changes: Vec::new(), queue: DEFAULT_QUEUE, guests: 0 }
    }
}

impl FromStr for NetworkSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut spec = Self::default();
        for setting in text.split_whitespace() {
            spec.add(setting).map_err(|why| Error { text: setting.to_owned(), why })?;
        }
        // Stable, so that of two settings for the same time the later one counts.
        spec.changes.sort_by_key(|change| change.at);
        Ok(spec)
    }
}

impl NetworkSpec {
    /// Returns true if a participant's link must be a `TunLink`.
    #[must_use]
    pub fn needs_tun_link(&self, participant: Participant) -> bool {
        self.changes.iter().any(|change| change.participant == participant && change.setting.needs_tun_link())
    }

    /// Adds a guest. Its link does what `spec` says of any participant.
    pub fn add_guest(&mut self, spec: &Self) {
        let participant = Participant::Guest(self.guests);
        self.guests += 1;
        self.changes.extend(spec.changes.iter().map(|change| LinkChange { participant, ..*change }));
        self.changes.sort_by_key(|change| change.at);
    }

    fn add(&mut self, text: &str) -> Result<(), &'static str> {
        if text == "free" {
            return Ok(());
        }
        let (name, values) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        if name == "queue" {
            self.queue = time(values).filter(|time| !time.is_zero()).ok_or("expected a time such as 200ms")?;
            return Ok(());
        }
        let (participant, what) = match name.split_once('.') {
            Some(("sender", what)) => (Some(Participant::Sender), what),
            Some(("receiver", what)) => (Some(Participant::Receiver), what),
            Some(_) => return Err("expected `sender.` or `receiver.` before the point"),
            None => (None, name),
        };
        let usual = match what {
            "up" => Participant::Sender,
            "down" | "loss" | "delay" | "jitter" | "burst" | "reorder" | "duplicate" => Participant::Receiver,
            _ => return Err("expected down, up, loss, delay, jitter, burst, reorder, duplicate or queue"),
        };
        for (number, value) in values.split(',').enumerate() {
            let (value, at) = match value.split_once('@') {
                Some((value, at)) => (value, time(at).ok_or("expected a time such as 40s after @")?),
                None if number == 0 => (value, Duration::ZERO),
                None => return Err("expected VALUE@TIME after the first value"),
            };
            let setting = setting(what, value)?;
            self.changes.push(LinkChange { at, participant: participant.unwrap_or(usual), setting });
        }
        Ok(())
    }
}

fn setting(what: &str, value: &str) -> Result<LinkSetting, &'static str> {
    let limit = || match value {
        "free" => Ok(None),
        value => rate(value).map(Some).ok_or("expected a rate from 8k to 10000M, or `free`"),
    };
    match what {
        "down" => Ok(LinkSetting::Down(limit()?)),
        "up" => Ok(LinkSetting::Up(limit()?)),
        "delay" => delay(value).map(LinkSetting::Delay).ok_or("expected a delay of at most 10s"),
        "jitter" => delay(value).map(LinkSetting::Jitter).ok_or("expected a deviation of at most 10s"),
        "burst" => bursts(value).map(LinkSetting::Bursts).ok_or("expected bursts such as 5%x3-8"),
        "reorder" => share(value).map(LinkSetting::Reorder).ok_or("expected a share from 0% to 100%"),
        "duplicate" => share(value).map(LinkSetting::Duplicate).ok_or("expected a share from 0% to 100%"),
        _ => share(value).map(LinkSetting::Loss).ok_or("expected a loss from 0% to 100%"),
    }
}

fn rate(text: &str) -> Option<Bitrate> {
    let (number, thousands) = match text.strip_suffix('M') {
        Some(number) => (number, 2),
        None => (text.strip_suffix('k')?, 1),
    };
    let bits = decimal(number, 3 * thousands)?;
    (8_000..=10_000_000_000).contains(&bits).then_some(Bitrate::bps(bits))
}

fn share(text: &str) -> Option<Fraction> {
    let hundredths = u32::try_from(decimal(text.strip_suffix('%')?, 2)?).ok()?;
    Fraction::from_ten_thousandths(hundredths)
}

fn delay(text: &str) -> Option<Duration> {
    time(text).filter(|time| *time <= MAX_DELAY)
}

fn bursts(text: &str) -> Option<LossBursts> {
    let (percent, lengths) = text.split_once('x')?;
    let (min, max) = lengths.split_once('-')?;
    let length = |text| decimal(text, 0).and_then(|length| u32::try_from(length).ok());
    let bursts = LossBursts { share: share(percent)?, min_length: length(min)?, max_length: length(max)? };
    (bursts.min_length >= 1 && (bursts.min_length..=MAX_BURST).contains(&bursts.max_length)).then_some(bursts)
}

fn time(text: &str) -> Option<Duration> {
    let milliseconds = match text.strip_suffix("ms") {
        Some(number) => decimal(number, 0)?,
        None => decimal(text.strip_suffix('s')?, 3)?,
    };
    (milliseconds <= MAX_TIME_MS).then_some(Duration::from_millis(milliseconds))
}

/// Reads a decimal number with at most `digits` digits after the point. Returns it times ten to the power of `digits`.
fn decimal(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digit = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.ends_with('.') || fraction.len() > digits || !digit(whole) || !digit(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

impl fmt::Display for Participant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sender => to.write_str("sender"),
            Self::Receiver => to.write_str("receiver"),
            Self::Guest(number) => write!(to, "guest{number}"),
        }
    }
}

impl fmt::Display for LinkChange {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, participant, setting } = self;
        write!(to, "{participant} ")?;
        match setting {
            LinkSetting::Down(Some(rate)) => write!(to, "down {} bit/s", rate.as_bps())?,
            LinkSetting::Up(Some(rate)) => write!(to, "up {} bit/s", rate.as_bps())?,
            LinkSetting::Down(None) => to.write_str("down free")?,
            LinkSetting::Up(None) => to.write_str("up free")?,
            LinkSetting::Loss(share) => write!(to, "loss {}", Percent(*share))?,
            LinkSetting::Delay(delay) => write!(to, "delay {} ms", delay.as_millis())?,
            LinkSetting::Jitter(deviation) => write!(to, "jitter {} ms", deviation.as_millis())?,
            LinkSetting::Bursts(LossBursts { share, min_length, max_length }) => {
                write!(to, "bursts {} of {min_length} to {max_length}", Percent(*share))?;
            }
            LinkSetting::Reorder(share) => write!(to, "reorder {}", Percent(*share))?,
            LinkSetting::Duplicate(share) => write!(to, "duplicate {}", Percent(*share))?,
        }
        write!(to, " at {} s", at.as_secs_f64())
    }
}

struct Percent(Fraction);

impl fmt::Display for Percent {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.0.per_ten_thousand();
        write!(to, "{}.{:02} %", share / 100, share % 100)
    }
}

/// Deep enough for the bursts of a key frame, as in a home router.
const DEFAULT_QUEUE: Duration = Duration::from_millis(200);

/// The longest delay of a link. A geostationary satellite has 0.3 s.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The longest burst.
const MAX_BURST: u32 = 10_000;

/// The latest time of a change: a day.
const MAX_TIME_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> Vec<String> {
        let spec: NetworkSpec = text.parse().expect("a specification");
        spec.changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rates_and_losses_belong_to_the_usual_participant_or_the_named_one() {
        assert_eq!(changes("down=300k"), ["receiver down 300000 bit/s at 0 s"]);
        assert_eq!(changes("up=1.5M"), ["sender up 1500000 bit/s at 0 s"]);
        assert_eq!(changes("loss=5%"), ["receiver loss 5.00 % at 0 s"]);
        assert_eq!(
            changes("sender.down=free receiver.up=8k sender.loss=0.05%"),
            ["sender down free at 0 s", "receiver up 8000 bit/s at 0 s", "sender loss 0.05 % at 0 s"]
        );
        assert_eq!((changes("free"), changes("")), (vec![], vec![]));
    }

    #[test]
    fn settings_of_longer_paths_need_a_tun_link() {
        assert_eq!(
            changes("delay=40ms jitter=30ms burst=5%x3-8 reorder=2% sender.duplicate=0.5%@1s"),
            [
                "receiver delay 40 ms at 0 s",
                "receiver jitter 30 ms at 0 s",
                "receiver bursts 5.00 % of 3 to 8 at 0 s",
                "receiver reorder 2.00 % at 0 s",
                "sender duplicate 0.50 % at 1 s",
            ]
        );
        let spec: NetworkSpec = "down=1M loss=2% sender.delay=10ms@5s".parse().expect("a specification");
        assert!(spec.needs_tun_link(Participant::Sender) && !spec.needs_tun_link(Participant::Receiver));
    }

    #[test]
    fn a_schedule_is_in_the_order_of_its_times() {
        assert_eq!(
            changes("down=10M,300k@40s,10M@55.5s loss=1%,0%@500ms"),
            [
                "receiver down 10000000 bit/s at 0 s",
                "receiver loss 1.00 % at 0 s",
                "receiver loss 0.00 % at 0.5 s",
                "receiver down 300000 bit/s at 40 s",
                "receiver down 10000000 bit/s at 55.5 s",
            ]
        );
    }

    #[test]
    fn the_queue_has_a_default() {
        let queue = |text: &str| text.parse::<NetworkSpec>().map(|spec| spec.queue.as_millis());
        assert_eq!((queue("down=1M"), queue("queue=1.5s")), (Ok(200), Ok(1_500)));
    }

    #[test]
    fn a_guest_has_one_link_with_all_settings() {
        let spec = |text: &str| text.parse::<NetworkSpec>().expect("a specification");
        let mut all = spec("down=1M,2M@5s");
        all.add_guest(&spec("free"));
        all.add_guest(&spec("up=300k loss=2%@1s,0%@9s"));
        let changes: Vec<String> = all.changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                "receiver down 1000000 bit/s at 0 s",
                "guest1 up 300000 bit/s at 0 s",
                "guest1 loss 2.00 % at 1 s",
                "receiver down 2000000 bit/s at 5 s",
                "guest1 loss 0.00 % at 9 s",
            ]
        );
        assert_eq!(all.guests, 2);
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for wrong in [
            "down",
            "down=",
            "down=300",
            "down=k",
            "down=7k",
            "down=99999999999999999999M",
            "down=-1k",
            "down=1.2345k",
            "down=1.k",
            "down=.5M",
            "down=1e3k",
            "loss=5",
            "loss=101%",
            "loss=free",
            "queue=0s",
            "queue=5",
            "wobble=3ms",
            "delay=11s",
            "delay=40",
            "burst=5%",
            "burst=5%x3",
            "burst=5%x8-3",
            "burst=5%x0-3",
            "burst=5x3-8",
            "reorder=2",
            "duplicate=101%",
            "server.down=1M",
            "down=1M,2M",
            "down=1M,2M@",
            "down=1M,2M@5",
            "down=1M@99999999s",
            "down=1M,",
        ] {
            let error = wrong.parse::<NetworkSpec>().expect_err(wrong).to_string();
            assert!(error.starts_with(&format!("`{wrong}` is not a setting of a link: expected ")), "{error}");
        }
    }
}
