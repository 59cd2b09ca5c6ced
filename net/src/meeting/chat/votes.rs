//! The votes of the chat: who may begin one, whose ballots count, and what each client knows of them. Pure.
//!
//! In an open vote, all members get all ballots and count them. Each ballot is signed by the voter's device, so that the member that
//! asks can pass it on to those who come late. In a secret one, each ballot is sealed for the member that
//! asks, whose client counts them and tells all the sums when the vote ends. The others cannot check these sums.

use super::line::{Vote, VoteOption};
use super::message::{Device, MAX_OPTIONS, MAX_QUESTION, PassedBallot, Question};
use super::text::Text;
use crate::meeting::Member;
use crypto::DeviceKey;
use proto::{Rights, Role};
use std::collections::BTreeMap;

/// A vote as this client knows it.
pub struct Count {
    options: Vec<Text>,
    secret: bool,
    /// The ballots, and the voters' names.
    ballots: BTreeMap<DeviceKey, (Cast, String)>,
    /// The sums, once the vote has ended.
    sums: Option<Vec<u32>>,
    /// The member that asks is this client.
    asks: bool,
}

/// A ballot as its voter cast it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The index of the option.
    pub choice: u8,
    /// Higher than that of each earlier ballot of the voter's device.
    pub number: u64,
    /// The signature of the voter's device. `None` in a secret vote.
    pub signature: Option<[u8; 64]>,
}

/// A member that votes, or has voted.
#[derive(Clone, Copy)]
pub struct Voter<'a> {
    pub device: DeviceKey,
    pub name: &'a str,
}

/// An open vote of this client, for those who come late.
pub struct OpenVote {
    pub question: Question,
    pub place: u64,
    /// The ballots. Empty in a secret vote.
    pub ballots: Vec<PassedBallot>,
}

/// Returns true if a member may begin votes.
pub fn may_ask(member: &Member) -> bool {
    member.rights.contains(Rights::CHAT) && (member.role.is_manager() || member.role == Role::Presenter)
}

/// Returns true if a question has a valid form.
pub fn is_valid(question: &Question) -> bool {
    let is_short = |text: &Text| text.as_str().len() <= MAX_QUESTION;
    (2..=MAX_OPTIONS).contains(&question.options.len())
        && is_short(&question.text)
        && question.options.iter().all(is_short)
}

impl Count {
    /// Begins to count.
    pub fn new(question: &Question, asks: bool) -> Self {
        let (options, secret) = (question.options.clone(), question.secret);
        Self { options, secret, ballots: BTreeMap::new(), sums: None, asks }
    }

    /// Returns true if the ballots are secret.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Returns true if no ballot counts any more.
    pub fn has_ended(&self) -> bool {
        self.sums.is_some()
    }

    /// Returns the question as it was asked.
    pub fn question(&self, counter: u64, text: Text) -> Question {
        Question { counter, text, options: self.options.clone(), secret: self.secret }
    }

    /// Returns the number of the last ballot of a device.
    pub fn last_ballot(&self, voter: DeviceKey) -> Option<u64> {
        self.ballots.get(&voter).map(|(cast, _)| cast.number)
    }

    /// Returns the ballots that may be passed on: those with a signature.
    pub fn ballots(&self) -> Vec<PassedBallot> {
        let passed = |(device, (cast, name)): (&DeviceKey, &(Cast, String))| {
            let (device, name, signature) = (Device(device.0), name.clone(), cast.signature?);
            Some(PassedBallot { device, choice: cast.choice, number: cast.number, name, signature })
        };
        self.ballots.iter().filter_map(passed).collect()
    }

    /// Counts a ballot, instead of an earlier one of the same device. Returns true if it counts.
    pub fn add(&mut self, voter: Voter<'_>, cast: Cast) -> bool {
        let exists = usize::from(cast.choice) < self.options.len();
        let has_room = self.ballots.len() < MAX_BALLOTS || self.ballots.contains_key(&voter.device);
        let is_newer = self.last_ballot(voter.device).is_none_or(|last| last < cast.number);
        if self.sums.is_some() || !exists || !has_room || !is_newer {
            return false;
        }
        self.ballots.insert(voter.device, (cast, voter.name.to_owned()));
        true
    }

    /// Counts a ballot that the member that asks passes on. Returns true if it counts.
    pub fn add_passed(&mut self, ballot: &PassedBallot) -> bool {
        let voter = Voter { device: DeviceKey(ballot.device.0), name: &ballot.name };
        self.add(voter, Cast { choice: ballot.choice, number: ballot.number, signature: Some(ballot.signature) })
    }

    /// Ends the vote. `claimed` are the sums of the member that asks. Returns false if it has ended before.
    pub fn end(&mut self, claimed: &[u32]) -> bool {
        if self.sums.is_some() {
            return false;
        }
        let claimed = || {
            let claimed = claimed.iter().copied().chain(std::iter::repeat(0));
            claimed.take(self.options.len()).collect()
        };
        self.sums = Some(if self.secret && !self.asks { claimed() } else { self.counted() });
        true
    }

    /// Returns the sums of the ballots that this client knows.
    pub fn counted(&self) -> Vec<u32> {
        let mut sums = vec![0; self.options.len()];
        for (cast, _) in self.ballots.values() {
            sums[usize::from(cast.choice)] += 1;
        }
        sums
    }

    /// Returns what the screens show. `me` is this client's device.
    pub fn shown(&self, me: DeviceKey) -> Vote {
        let sums = self.sums.clone().or_else(|| (!self.secret).then(|| self.counted()));
        let option = |(index, text): (usize, &Text)| VoteOption {
            text: text.clone(),
            count: sums.as_ref().map(|sums| sums[index]),
            voters: self.voters(index),
        };
        let known = u32::try_from(self.ballots.len()).unwrap_or(u32::MAX);
        let counted = self.sums.iter().flatten().fold(0_u32, |sum, count| sum.saturating_add(*count));
        Vote {
            options: self.options.iter().enumerate().map(option).collect(),
            secret: self.secret,
            ended: self.sums.is_some(),
            mine: self.ballots.get(&me).map(|(cast, _)| cast.choice),
            ballots: if self.secret && !self.asks { counted } else { known },
        }
    }

    fn voters(&self, option: usize) -> Vec<String> {
        let chosen = self.ballots.values().filter(|(cast, _)| usize::from(cast.choice) == option && !self.secret);
        chosen.map(|(_, name)| name.clone()).collect()
    }

    /// The bytes of its texts.
    pub fn length(&self) -> usize {
        self.options.iter().map(|text| text.as_str().len()).sum()
    }
}

/// Ballots that are counted in one vote.
const MAX_BALLOTS: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::MediaState;
    use crypto::Leaf;
    use proto::ParticipantId;

    fn voter(number: u8) -> Member {
        Member {
            id: ParticipantId(number.into()),
            leaf: Leaf(number.into()),
            name: format!("Member {number}"),
            device: DeviceKey([number; 32]),
            certificate: None,
            role: Role::Guest,
            rights: Rights::NONE,
            me: false,
            state: MediaState::default(),
            connected: true,
        }
    }

    fn add(count: &mut Count, voter: &Member, number: u64, choice: u8) -> bool {
        let signature = (!count.is_secret()).then_some([7; 64]);
        count.add(Voter { device: voter.device, name: &voter.name }, Cast { choice, number, signature })
    }

    fn question(secret: bool) -> Question {
        let text = |text| Text::new(text).unwrap();
        Question { counter: 1, text: text("when?"), options: vec![text("now"), text("later")], secret }
    }

    fn counts(vote: &Vote) -> Vec<Option<u32>> {
        vote.options.iter().map(|option| option.count).collect()
    }

    #[test]
    fn the_last_ballot_of_each_device_counts_until_the_vote_ends() {
        let mut count = Count::new(&question(false), false);
        for (member, number, choice, counts) in
            [(1, 5, 0, true), (1, 6, 1, true), (1, 6, 0, false), (1, 4, 0, false), (2, 1, 0, true), (3, 1, 2, false)]
        {
            assert_eq!(add(&mut count, &voter(member), number, choice), counts, "{member} {number} {choice}");
        }
        assert_eq!(count.ballots().len(), 2);
        let shown = count.shown(voter(2).device);
        assert_eq!((counts(&shown), shown.mine, shown.ballots), (vec![Some(1), Some(1)], Some(0), 2));
        assert_eq!(shown.options[1].voters, ["Member 1"]);
        assert!(count.end(&[9, 9]) && !count.end(&[]) && !add(&mut count, &voter(4), 1, 0));
        assert_eq!(counts(&count.shown(voter(2).device)), [Some(1), Some(1)], "each counts an open vote itself");
    }

    #[test]
    fn a_secret_vote_shows_its_sums_after_its_end_and_never_a_name() {
        let (mut asks, mut votes) = (Count::new(&question(true), true), Count::new(&question(true), false));
        for number in 1..=3 {
            add(&mut asks, &voter(number), 1, number % 2);
        }
        add(&mut votes, &voter(3), 1, 1);
        assert!(asks.ballots().is_empty(), "nobody passes on a secret ballot");
        let shown = asks.shown(voter(9).device);
        assert_eq!((counts(&shown), shown.ballots), (vec![None, None], 3));
        let sums = asks.counted();
        assert!(asks.end(&[]) && votes.end(&sums));
        for count in [&asks, &votes] {
            let shown = count.shown(voter(3).device);
            assert_eq!((counts(&shown), shown.ballots, shown.mine), (vec![Some(1), Some(2)], 3, Some(1)));
            assert!(shown.options.iter().all(|option| option.voters.is_empty()));
        }
        let mut other = Count::new(&question(true), false);
        assert!(other.end(&[1]) && counts(&other.shown(voter(1).device)) == [Some(1), Some(0)], "as many as options");
    }

    #[test]
    fn questions_have_limits_and_not_everybody_may_ask() {
        assert!(is_valid(&question(false)));
        let options = |count| vec![Text::new("x").unwrap(); count];
        for (count, valid) in [(0, false), (1, false), (2, true), (MAX_OPTIONS, true), (MAX_OPTIONS + 1, false)] {
            assert_eq!(is_valid(&Question { options: options(count), ..question(true) }), valid);
        }
        let long = Text::new(&"x".repeat(MAX_QUESTION + 1)).unwrap();
        assert!(!is_valid(&Question { text: long.clone(), ..question(true) }));
        assert!(!is_valid(&Question { options: vec![long; 2], ..question(true) }));
        for (role, rights, may) in [
            (Role::Organiser, Rights::CHAT, true),
            (Role::Presenter, Rights::CHAT, true),
            (Role::Presenter, Rights::NONE, false),
            (Role::Participant, Rights::CHAT, false),
            (Role::Guest, Rights::CHAT, false),
        ] {
            assert_eq!(may_ask(&Member { role, rights, ..voter(1) }), may);
        }
    }
}
