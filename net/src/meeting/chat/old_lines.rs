//! Lines from before this client has entered, which another member passes on.

use super::action::{Facts, is_valid_name, local_seconds};
use super::events::emit;
use super::line::{Event, PassedOn};
use super::lines::Lines;
use super::message::OldLine;
use super::outbox::Outbox;
use crate::meeting::Member;
use crate::meeting::context::Context;
use crate::meeting::roster::by_device;
use crypto::DeviceKey;
use crypto::chat::SignedLine;

/// Adds lines of the member `by`. This client has entered the group at the place `entered`.
pub fn merge(
    (lines, outbox): (&mut Lines, &mut Outbox),
    entered: u64,
    passed_on: Vec<OldLine>,
    by: &Member,
    facts: Facts<'_>,
    context: &mut Context<'_>,
) {
    let Some(me) = facts.own_device() else { return };
    let mut changed = Vec::new();
    for old in passed_on {
        let device = DeviceKey(old.device.0);
        let author = by_device(facts.roster, device);
        let claimed = &old.line.content.name;
        let signed =
            SignedLine { meeting: facts.meeting(), counter: old.line.counter, content: &old.line.content.encode() };
        // What comes after this client has entered comes by the log.
        if old.place > entered || !is_valid_name(claimed) || !signed.is_by(device, &old.line.signature) {
            continue;
        }
        let time = local_seconds(old.line.content.time, context);
        let name = author.map_or_else(|| claimed.clone(), |member| member.name.clone());
        let how = PassedOn { by: by.name.clone(), proved: author.is_some() };
        if let Some(id) = lines.merge_old(&old, (name, me, time), how) {
            outbox.drop_new_line(id);
            changed.push(id);
        }
    }
    let shown: Vec<_> = changed.into_iter().filter_map(|id| lines.get(id).cloned()).collect();
    if !shown.is_empty() {
        emit(Event::Lines(shown), context.outputs);
    }
}
