//! Shares a video budget out among the layers that somebody wants. Pure.

use crate::layer::Rung;
use media::Bitrate;

/// The rate of each of the `wanted` rungs (smallest first) under `budget`, in their order. [`Bitrate::ZERO`] stops a
/// layer; nothing gets more than its rung's `bitrate`, and together they never get more than `budget`.
///
/// A small layer that works is worth more to more people than a large one that does not, so layers are admitted from
/// below, each with its least rate; once one does not fit, those above it stop too. The smallest wanted layer is never
/// stopped: a poor picture beats none. What is left then fills all admitted layers by the same share of what they lack.
#[must_use]
pub fn split(budget: Bitrate, wanted: &[Rung]) -> Vec<Bitrate> {
    let admitted = admit(budget, wanted);
    let (running, stopped) = wanted.split_at(admitted);
    let least: Bitrate = running.iter().map(|rung| rung.least).sum();
    let lacking: Bitrate = running.iter().map(|rung| rung.bitrate.saturating_sub(rung.least)).sum();
    let spare = budget.saturating_sub(least).min(lacking);
    let fill = |rung: &Rung| {
        let lack = rung.bitrate.saturating_sub(rung.least);
        // The lowest layer may be admitted below its least rate.
        rung.least.min(budget) + portion(spare, lack, lacking)
    };
    running.iter().map(fill).chain(stopped.iter().map(|_| Bitrate::ZERO)).collect()
}

/// How many rungs, from below, get their least rate out of `budget`.
fn admit(budget: Bitrate, wanted: &[Rung]) -> usize {
    let mut left = budget;
    for (index, rung) in wanted.iter().enumerate() {
        if index > 0 && rung.least > left {
            return index;
        }
        left = left.saturating_sub(rung.least);
    }
    wanted.len()
}

/// `of * part / whole`, without overflow; zero of nothing.
fn portion(of: Bitrate, part: Bitrate, whole: Bitrate) -> Bitrate {
    let product = u128::from(of.as_bps()) * u128::from(part.as_bps());
    let share = product.checked_div(u128::from(whole.as_bps())).unwrap_or(0);
    Bitrate::bps(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Content, Ladder};
    use media::Size;

    fn rungs() -> Vec<Rung> {
        Ladder::for_source(Size::new(1280, 720), Content::Camera).rungs().to_vec()
    }

    #[test]
    fn plenty_gives_each_layer_what_it_can_use() {
        let shares = split(Bitrate::kbps(10_000), &rungs());
        assert_eq!(shares, rungs().iter().map(|rung| rung.bitrate).collect::<Vec<_>>());
    }

    #[test]
    fn scarcity_stops_the_largest_first() {
        let shares = split(Bitrate::kbps(400), &rungs());
        assert!(shares[0] > Bitrate::ZERO && shares[1] > Bitrate::ZERO);
        assert_eq!(shares[2], Bitrate::ZERO);
    }

    #[test]
    fn the_smallest_wanted_layer_never_stops() {
        assert_eq!(split(Bitrate::kbps(10), &rungs())[0], Bitrate::kbps(10));
        assert_eq!(split(Bitrate::kbps(10), &rungs()[2..]), [Bitrate::kbps(10)]);
        assert!(split(Bitrate::kbps(10), &[]).is_empty());
    }

    #[test]
    fn a_layer_nobody_wants_leaves_its_share_to_the_others() {
        let shares = split(Bitrate::kbps(1_500), &rungs()[2..]);
        assert_eq!(shares, [Bitrate::kbps(1_500)]);
    }

    #[test]
    fn shares_never_exceed_the_budget_and_grow_with_it() {
        let mut before = vec![Bitrate::ZERO; 3];
        for kilobits in 1..3_000 {
            let shares = split(Bitrate::kbps(kilobits), &rungs());
            assert!(shares.iter().copied().sum::<Bitrate>() <= Bitrate::kbps(kilobits));
            // The smallest layer gives some of its spare up when a further one is let in, but never below its least.
            assert!(shares[0] >= rungs()[0].least.min(Bitrate::kbps(kilobits)));
            assert!(
                shares.iter().filter(|share| **share > Bitrate::ZERO).count()
                    >= before.iter().filter(|share| **share > Bitrate::ZERO).count()
            );
            before = shares;
        }
    }
}
