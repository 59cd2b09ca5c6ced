//! Who the people are, as far as this computer knows, for a client without a window.

use super::options::Client;
use super::{output, people, sentences};
use anyhow::{Context, Result};
use app::identity_folder::IdentityFolder;
use app::model::identity::Badge;
use app::model::{MeetingModel, Notice, NoticeKind};
use app::organisations;
use app::pins::{self, PinsFile};
use engine::{Identity, ParticipantId};
use serde_json::Value;

/// Returns the device key: that in the folder of the option `--identity`, or a new one for this run.
///
/// # Errors
/// Returns an error if there is no key.
pub fn own(client: &Client) -> Result<Identity> {
    match &client.identity {
        Some(folder) => IdentityFolder::new(folder)
            .load_or_create()
            .with_context(|| format!("cannot use the device key in {}", folder.display())),
        None => Identity::generate().context("the system provides no random numbers"),
    }
}

/// Returns the model of a meeting, with the devices that this computer knows. Says if their file is damaged.
pub fn model(hosts: Vec<String>) -> MeetingModel {
    let mut model = MeetingModel { hosts, ..MeetingModel::default() };
    let loaded = PinsFile::of_user().load();
    if loaded.damaged {
        let damaged = Notice { kind: NoticeKind::DevicesDamaged, file: None, detail: String::new() };
        output::message(sentences::notice(&damaged));
    }
    model.set_known_devices(loaded.pins, pins::today(), organisations::trusted());
    model
}

/// Writes down who was met.
pub fn save(model: &mut MeetingModel) {
    let met = model.identities.take_unsaved();
    PinsFile::of_user().add(&met);
}

/// Accepts the device of the participant, or of the person who asks, with this name or id.
///
/// # Errors
/// Returns why there is not exactly one.
pub fn accept(model: &mut MeetingModel, name: &str) -> std::result::Result<(), String> {
    let id = people::anybody(model, name)?;
    model.accept_device(id);
    Ok(())
}

/// Adds what is known of the people to an event that lists them, or of the person who asks.
pub fn describe(event: &mut Value, model: &MeetingModel) {
    let add = |one: &mut Value, badge: Option<&Badge>| {
        if let (Some(fields), Some(badge)) = (one.as_object_mut(), badge) {
            fields.insert("badge".to_owned(), badge.word().into());
            if let Badge::Verified { subject, .. } = badge {
                fields.insert("organisation".to_owned(), subject.organisation.as_str().into());
                fields.insert("certified_name".to_owned(), subject.name.as_str().into());
            }
        }
    };
    let id = |one: &Value| Some(ParticipantId(u64::from_str_radix(one["id"].as_str()?, 16).ok()?));
    if let Some(people) = event.get_mut("people").and_then(Value::as_array_mut) {
        for one in people {
            let badge = id(one).and_then(|id| model.identities.badge(id));
            add(one, badge);
        }
    }
    if let Some(one) = event.get_mut("asks") {
        let asker = id(one).and_then(|id| model.asking.iter().find(|asker| asker.id == id));
        add(one, asker.and_then(|asker| asker.badge.as_ref()));
    }
}
