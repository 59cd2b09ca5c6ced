//! Roles over real sockets: an organiser hands the meeting over, and the new one removes the old one.

use crate::client::{Client, State};
use crate::{all_receive, meeting, run, server};
use net::meeting::{Command, Notice, PolicyRefusal};
use proto::{MeetingFlags, ParticipantId, Reason, Rights, Role};

fn command(client: &Client, command: Command) {
    client.session.send(command).unwrap();
}

/// Waits until all of `clients` see this role of a member.
async fn all_see(clients: &[&Client], who: ParticipantId, role: Role) {
    for client in clients {
        client.until("the role is in force", |state| state.roles.get(&who).is_some_and(|found| found.0 == role)).await;
    }
}

fn is_refused(notice: &Notice) -> bool {
    matches!(notice, Notice::NotAllowed | Notice::PolicyRefused(_))
}

#[test]
fn the_new_organiser_removes_the_old_one_who_can_do_nothing_more() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 4).await;
        all_receive(&clients, 5).await;
        let [a, b, c, d] = &clients[..] else { unreachable!() };
        let (links, a_id, b_id, d_id) = (a.link(), a.me(), b.me(), d.me());
        // A guest can do nothing.
        command(b, Command::SetRole(b_id, Role::CoOrganiser));
        command(b, Command::Remove(c.me()));
        b.until("B is told that it may not", |state| {
            state.notices.iter().filter(|notice| is_refused(notice)).count() == 2
        })
        .await;
        // A makes B co-organiser, and B gets the keys.
        command(a, Command::SetRole(b_id, Role::CoOrganiser));
        all_see(&[a, b, c, d], b_id, Role::CoOrganiser).await;
        b.until("B has the keys", |state| state.links == 1).await;
        assert_eq!(b.link(), links, "the same link");
        // B removes C. A gets the next keys from B.
        b.remove(c.me());
        c.until("C is removed", |state| state.removed).await;
        for client in [a, b, d] {
            client.until("three are left", |state| state.members.len() == 3).await;
        }
        a.until("A has the next keys", |state| state.links == 1).await;
        b.until("B has the next keys", |state| state.links == 2).await;
        assert_eq!(a.link(), b.link());
        assert_ne!(a.link(), links);
        // B has no power over A.
        b.remove(a.me());
        b.until("B is told why", |state| state.notices.contains(&Notice::PolicyRefused(PolicyRefusal::NotBelow))).await;
        // A hands over to B.
        command(a, Command::HandOver(b_id));
        all_see(&[a, b, d], b_id, Role::Organiser).await;
        all_see(&[a, b, d], a.me(), Role::CoOrganiser).await;
        a.until("A is second in the order of succession", |state| state.succession == [b_id, a_id]).await;
        a.remove(b_id);
        a.until("A has no power over B", |state| !state.notices.is_empty()).await;
        // Somebody joins: both managers know the keys.
        let late = Client::join(&b.link(), "late");
        late.until("the newcomer is admitted", |state| state.entered.is_some()).await;
        // B removes A.
        b.remove(a.me());
        a.until("A is removed", |state| state.removed).await;
        for client in [b, d, &late] {
            client.until("three are left", |state| state.members.len() == 3).await;
        }
        assert!(a.session.send(Command::SetRole(d.me(), Role::Guest)).is_err() || a.look(|state| state.over.is_some()));
        // B goes on with keys that A does not know.
        command(b, Command::WithdrawRights(d.me(), Rights::MICROPHONE));
        let is_muted =
            |state: &State| state.roles.get(&d_id).is_some_and(|found| !found.1.contains(Rights::MICROPHONE));
        for client in [b, d, &late] {
            client.until("D has no right to speak", is_muted).await;
        }
        command(b, Command::SetFlags { flags: MeetingFlags::LOCKED, set: true });
        b.until("the meeting is locked", |state| state.flags.contains(MeetingFlags::LOCKED)).await;
        let kept_out = Client::join(&b.link(), "kept out");
        kept_out.until("nobody enters a locked meeting", |state| state.over.is_some()).await;
        kept_out.look(|state| assert!(state.entered.is_none()));
        for client in [b, d, &late] {
            client.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
        }
    });
}

#[test]
fn those_who_come_later_are_guests_and_strangers_stay_out_if_the_organiser_wants_it() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        let [a, b, c] = &clients[..] else { unreachable!() };
        command(a, Command::SetRole(c.me(), Role::Presenter));
        all_see(&[a, b, c], c.me(), Role::Presenter).await;
        command(a, Command::SetDefaultRole(Role::Guest));
        all_see(&[a, b, c], b.me(), Role::Guest).await;
        let late = Client::join(&a.link(), "late");
        late.until("the newcomer is admitted", |state| state.entered.is_some()).await;
        all_see(&[a, b, c, &late], late.me(), Role::Guest).await;
        all_see(&[&late], c.me(), Role::Presenter).await;
        let (guest, rights) = (late.me(), Role::Guest.default_rights());
        late.look(|state| assert_eq!(state.roles.get(&guest), Some(&(Role::Guest, rights))));
        command(&late, Command::SetDefaultRole(Role::Participant));
        late.until("a guest cannot change it", |state| state.notices.iter().any(is_refused)).await;
        command(a, Command::SetFlags { flags: MeetingFlags::GUESTS, set: false });
        a.until("there are no guests", |state| !state.flags.contains(MeetingFlags::GUESTS)).await;
        let stranger = Client::join(&a.link(), "stranger");
        let expected = Reason::NoGuests.to_string();
        stranger
            .until("a stranger is refused", |state| state.over.as_ref().is_some_and(|why| why.contains(&expected)))
            .await;
        stranger.look(|state| assert!(state.entered.is_none()));
    });
}
