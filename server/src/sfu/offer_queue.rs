//! Bounds how much work the offers of one origin cause, over all its members and meetings, and those of all origins
//! together.
//!
//! An offer beyond the bound is not refused but waits for its turn, because the members of a large meeting may share one
//! address. Pure: the caller passes the time.

use crate::bucket::Bucket;
use crate::{Limits, Origin};
use proto::{DownlinkSettings, ParticipantId, Published, Subscription};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Instant;

/// [`proto::ClientSignal::Offer`] with its sender.
#[derive(Debug)]
pub struct Offer {
    pub participant: ParticipantId,
    pub number: u32,
    pub sdp: String,
    pub published: Vec<Published>,
    pub subscriptions: Vec<Subscription>,
    pub voices: Vec<String>,
    pub downlink: DownlinkSettings,
}

/// The work that the offers of one origin may cause, in units of [`work`].
#[derive(Clone, Copy, Debug)]
pub struct WorkLimit {
    /// Units per second.
    pub rate: u32,
    /// Units at once after a pause.
    pub burst: u32,
}

impl WorkLimit {
    /// Returns the limit of a server.
    pub fn new(limits: &Limits) -> Self {
        Self { rate: limits.address_offer_work_per_second, burst: limits.address_offer_work_burst }
    }
}

/// The offers that wait. Each participant has at most one.
#[derive(Debug)]
pub struct OfferQueue {
    limit: WorkLimit,
    origins: BTreeMap<Option<Origin>, OriginOffers>,
    /// The work of all origins.
    work: Bucket,
    /// The origin whose offer was handled last.
    last_origin: Option<Origin>,
}

/// The offers of one origin.
#[derive(Debug)]
struct OriginOffers {
    work: Bucket,
    /// Each with its work.
    waiting: VecDeque<(Offer, u32)>,
}

impl OfferQueue {
    /// Returns an empty queue.
    pub fn new(limit: WorkLimit, now: Instant) -> Self {
        let work = Bucket::new(limit.rate.saturating_mul(ORIGINS_AT_ONCE), limit.rate, now);
        Self { limit, origins: BTreeMap::new(), work, last_origin: None }
    }

    /// Adds an offer that causes `work`. It replaces an older one of the same participant, which is not answered.
    pub fn push(&mut self, origin: Option<Origin>, offer: Offer, work: u32, now: Instant) {
        let WorkLimit { rate, burst } = self.limit;
        let new = || OriginOffers { work: Bucket::new(rate, burst, now), waiting: VecDeque::new() };
        let waiting = &mut self.origins.entry(origin).or_insert_with(new).waiting;
        match waiting.iter_mut().find(|(other, _)| other.participant == offer.participant) {
            Some(older) => *older = (offer, work),
            None => waiting.push_back((offer, work)),
        }
    }

    /// Returns the next offer that may be handled now. The offers of one origin are handled in order, and the origins take
    /// turns.
    pub fn pop(&mut self, now: Instant) -> Option<Offer> {
        let Self { limit, origins, work: total, last_origin } = self;
        let max = limit.burst.min(limit.rate);
        let ready = |origin: &mut OriginOffers| {
            let work = origin.waiting.front().map(|(_, work)| (*work).min(max))?;
            origin.work.has(work, now).then_some(work)
        };
        let after = (Bound::Excluded(*last_origin), Bound::Unbounded);
        let next = origins.range_mut(after).find_map(|(id, origin)| Some((*id, ready(origin)?)));
        let (id, work) = next.or_else(|| origins.iter_mut().find_map(|(id, origin)| Some((*id, ready(origin)?))))?;
        if !total.take(work, now) {
            return None;
        }
        *last_origin = id;
        let origin = origins.get_mut(&id)?;
        origin.work.take(work, now);
        origin.waiting.pop_front().map(|(offer, _)| offer)
    }

    /// Counts the work of a participant's offer again, because its transport has changed.
    pub fn update_work(&mut self, participant: ParticipantId, work: impl Fn(&Offer) -> u32) {
        let waiting = self.origins.values_mut().flat_map(|origin| &mut origin.waiting);
        for (offer, known) in waiting.filter(|(offer, _)| offer.participant == participant) {
            *known = work(offer);
        }
    }

    /// Drops the offer of a participant that left.
    pub fn remove(&mut self, participant: ParticipantId) {
        for origin in self.origins.values_mut() {
            origin.waiting.retain(|(offer, _)| offer.participant != participant);
        }
    }

    /// Forgets the origins that may cause as much work as new ones.
    pub fn forget_idle(&mut self, now: Instant) {
        self.origins.retain(|_, origin| !origin.waiting.is_empty() || !origin.work.is_full(now));
    }
}

/// Returns the work of an offer: 1 for each of its media descriptions, 1 more for each new one, and the square of their
/// number divided by 512, because the stack searches its descriptions one by one. A unit takes about 10 to 18 microseconds of a
/// core, in offers of all sizes.
pub fn work(descriptions: usize, new: usize) -> u32 {
    let square = descriptions.saturating_mul(descriptions) / SQUARE_DIVISOR;
    u32::try_from(descriptions.saturating_add(square).saturating_add(new)).unwrap_or(u32::MAX)
}

/// From this number of descriptions on, the part of the work that grows with their square is the larger one.
const SQUARE_DIVISOR: usize = 512;

/// All origins together may cause as much work per second as this many origins. At once, they may cause only as much as
/// one origin in a second, because no packet is forwarded meanwhile.
const ORIGINS_AT_ONCE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    fn origin(last: u8) -> Origin {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()
    }

    fn offer(participant: u64) -> Offer {
        let (sdp, published, subscriptions, voices) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let downlink = DownlinkSettings::default();
        Offer { participant: ParticipantId(participant), number: 1, sdp, published, subscriptions, voices, downlink }
    }

    fn queue(now: Instant) -> OfferQueue {
        OfferQueue::new(WorkLimit::new(&Limits::default()), now)
    }

    #[test]
    fn the_offers_of_one_origin_are_bounded_and_handled_in_order() {
        let start = Instant::now();
        let (mut queue, largest) = (queue(start), work(1_024, 1_024));
        (0..100).for_each(|id| queue.push(Some(origin(1)), offer(id), largest, start));
        queue.remove(ParticipantId(1));
        let mut answered = Vec::new();
        for tick in 0..=100 {
            let now = start + Duration::from_millis(100) * tick;
            answered.extend(std::iter::from_fn(|| queue.pop(now)).map(|offer| offer.participant.0));
        }
        assert!((18..=24).contains(&answered.len()), "{} of the largest offers in ten seconds", answered.len());
        assert!(answered.starts_with(&[0, 2, 3]) && answered.is_sorted(), "{answered:?}");
    }

    /// Each of these offers takes 30 to 50 ms. 24 of them in a second would leave no time for media.
    #[test]
    fn large_offers_of_three_addresses_leave_time_for_media() {
        let start = Instant::now();
        let (mut queue, known) = (queue(start), work(1_024, 0));
        for (address, id) in [1, 2, 3].into_iter().flat_map(|address| (0..100).map(move |id| (address, id))) {
            queue.push(Some(origin(address)), offer(100 * u64::from(address) + id), known, start);
        }
        let ticks = (0..=100).map(|tick| start + Duration::from_millis(100) * tick);
        let answered: usize = ticks.map(|now| std::iter::from_fn(|| queue.pop(now)).count()).sum();
        assert!((70..=85).contains(&answered), "{answered} offers of 1,024 known descriptions in ten seconds");
    }

    #[test]
    fn origins_take_turns() {
        let start = Instant::now();
        let (mut queue, large) = (queue(start), work(512, 512));
        (0..10).for_each(|id| queue.push(Some(origin(1)), offer(id), large, start));
        (10..20).for_each(|id| queue.push(Some(origin(2)), offer(id), 1, start));
        let answered: Vec<u64> = (0..4).filter_map(|_| queue.pop(start)).map(|offer| offer.participant.0).collect();
        assert_eq!(answered, [0, 10, 1, 11]);
    }

    #[test]
    fn a_later_offer_replaces_the_one_that_waits() {
        let start = Instant::now();
        let mut queue = queue(start);
        queue.push(Some(origin(1)), offer(1), 1, start);
        queue.push(Some(origin(1)), Offer { number: 2, ..offer(1) }, 1, start);
        assert_eq!(queue.pop(start).map(|offer| offer.number), Some(2));
        assert!(queue.pop(start).is_none());
        queue.forget_idle(start);
        assert_eq!(queue.origins.len(), 1, "its bucket is not full");
        queue.forget_idle(start + Duration::from_mins(1));
        assert!(queue.origins.is_empty());
    }

    /// 64 of 100 participants have one address, the most that a server accepts by default, or all of them.
    #[test]
    fn an_office_that_joins_a_meeting_of_100_gets_its_answers_in_time() {
        for inside in [64, 100] {
            let longest = longest_wait_of_an_office(inside);
            assert!(longest < Duration::from_secs(5), "the client waits 10 s for an answer: {longest:?}");
        }
    }

    /// 100 participants join within two seconds, `inside` of them from one address, each with a microphone and a camera. They
    /// offer five times a second while others join. Returns the longest time that an offer of the address waits.
    fn longest_wait_of_an_office(inside: usize) -> Duration {
        let start = Instant::now();
        let mut queue = queue(start);
        let mut known = vec![0_usize; inside];
        let mut longest = Duration::ZERO;
        let mut offered: HashMap<ParticipantId, Instant> = HashMap::new();
        let mut last_offer = vec![None::<Instant>; inside];
        for tick in 0..200_usize {
            let now = start + Duration::from_millis(100) * u32::try_from(tick).unwrap();
            // Five participants join in each tick.
            let members = (5 * (tick + 1)).min(100);
            let needed = 2 * members + 2;
            for id in 0..members * inside / 100 {
                let participant = ParticipantId(id as u64);
                let paused = last_offer[id].is_none_or(|last| now >= last + Duration::from_millis(200));
                if paused && known[id] < needed && !offered.contains_key(&participant) {
                    queue.push(Some(origin(1)), offer(id as u64), work(needed, needed - known[id]), now);
                    known[id] = needed;
                    offered.insert(participant, now);
                    last_offer[id] = Some(now);
                }
            }
            while let Some(offer) = queue.pop(now) {
                longest = longest.max(now - offered.remove(&offer.participant).unwrap());
            }
        }
        assert!(offered.is_empty());
        assert!(known.iter().all(|known| *known == 202), "{known:?}");
        longest
    }
}
