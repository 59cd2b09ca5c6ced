//! Messages that members send each other inside MLS: states, floor control, hands, and the chat.

use super::{Common, hex, message};
use anyhow::{Context, Result, bail};
use crypto::Zeroizing;
use net::meeting::vectors::{chat_messages, lobby_contents, member_messages, private_messages};
use serde_json::{Value, json};

/// Returns each application message, and each message of the chat. The signature of a line is not written by hand: the reader
/// verifies it with the device's key.
pub(super) fn all(common: &Common) -> Result<Vec<Value>> {
    let members = paired(member_messages(), says_members())?.into_iter();
    let mut vectors: Vec<_> = members.map(|(bytes, says)| message("MemberMessage", bytes, &says)).collect();
    let chats = chat_messages(&common.ada, common.meeting())?;
    let device = hex(common.ada.public().0);
    for (bytes, says) in paired(chats, says_chats(&device))? {
        let mut vector = message("ChatMessage", bytes, &says);
        vector["meeting"] = hex(common.meeting().0).into();
        vector["author"] = device.clone().into();
        vectors.push(vector);
    }
    Ok(vectors)
}

/// Returns the plaintexts of private messages, and what they say.
pub(super) fn private(common: &Common) -> Result<Vec<(Zeroizing<Vec<u8>>, Value)>> {
    let says = says_private(&hex(common.ada.public().0));
    paired(private_messages(&common.ada)?, says)
}

/// Returns contents of a lobby chat with a counter, and what they say.
pub(super) fn lobby() -> Result<Vec<(u32, Vec<u8>, Value)>> {
    let says = vec![
        ("received", json!({"Received": {"organiser": true}})),
        ("received by a co-organiser", json!({"Received": {"organiser": false}})),
        ("withdrawn", json!({"Withdrawn": {}})),
        ("text", json!({"Text": {"text": "I am from the bank\nof Grenoble"}})),
    ];
    Ok((1..).zip(paired(lobby_contents(), says)?).map(|(counter, (bytes, says))| (counter, bytes, says)).collect())
}

/// Pairs messages with what they say, by their labels.
fn paired<B>(samples: Vec<(&'static str, B)>, mut says: Vec<Says>) -> Result<Vec<(B, Value)>> {
    let mut pairs = Vec::new();
    for (label, bytes) in samples {
        let at = says.iter().position(|(other, _)| *other == label);
        let (_, says) = says.swap_remove(at.with_context(|| format!("nobody wrote what `{label}` says"))?);
        pairs.push((bytes, says));
    }
    if let Some((label, _)) = says.first() {
        bail!("there is no message `{label}`");
    }
    Ok(pairs)
}

type Says = (&'static str, Value);

fn says_members() -> Vec<Says> {
    let state = |count: u32, microphone: &str, camera: bool, limits: [Value; 2]| {
        let [camera_limit, screen_limit] = limits;
        json!({"State": {"count": count, "state": {
            "microphone": microphone, "camera": camera, "screen": false, "camera_limit": camera_limit,
            "screen_limit": screen_limit,
        }}})
    };
    let set = |target: Value, rights: u32, allow: bool| json!({"Floor": {"message": {"Set": {"lamport": 327_682, "target": target, "rights": rights, "allow": allow}}}});
    let hands = |says: Value| json!({"Hands": {"message": says}});
    let verify = |says: Value| json!({"Verification": {"message": says}});
    vec![
        ("state", state(3, "On", false, [Value::Null, Value::Null])),
        ("state with a limit", state(70_000, "Muted", true, [Value::Null, "Computer".into()])),
        ("state without devices", state(4, "Off", false, ["Uplink".into(), Value::Null])),
        ("sealing key", json!({"SealingKey": {"public": hex([6; 1_216])}})),
        ("keys for a manager", json!({"ManagerKeys": {"to": 7, "sealed": hex([7; 40])}})),
        ("chat", json!({"Chat": {"body": hex([0; 64])}})),
        ("mute one", set(7.into(), 1, false)),
        ("mute everybody", set(Value::Null, 1, false)),
        ("allow one to share", set(7.into(), 12, true)),
        ("raise", hands(json!({"Raise": {"since": null}}))),
        ("announce a raised hand", hands(json!({"Raise": {"since": 300}}))),
        ("lower", hands(json!({"Lower": {}}))),
        ("lower of one", hands(json!({"LowerOf": {"participant": 7}}))),
        ("lower all", hands(json!({"LowerAll": {}}))),
        ("devices that were sent back", json!({"SentBack": {"devices": hex([4; 64])}})),
        ("begin", verify(json!({"Begin": {"round": 9, "participants": [7], "commitment": hex([1; 32])}}))),
        ("commit", verify(json!({"Commit": {"round": 9, "commitment": hex([2; 32])}}))),
        ("reveal", verify(json!({"Reveal": {"round": 9, "nonce": hex([3; 32])}}))),
        ("ask", verify(json!({"Ask": {"to": 7, "round": 300, "commitment": hex([1; 32])}}))),
        ("answer", verify(json!({"Answer": {"to": 7, "round": 300, "nonce": hex([2; 32])}}))),
        ("open", verify(json!({"Open": {"to": 7, "round": 300, "nonce": hex([3; 32])}}))),
    ]
}

fn says_chats(device: &str) -> Vec<Says> {
    let line = json!({"device": device, "counter": FIRST});
    let react = |reaction: &str| json!({"React": {"reaction": {"line": line, "reaction": reaction, "on": true}}});
    let first = json!({"counter": FIRST, "content": content("Good morning", 0, &Value::Null)});
    let question = json!({"counter": FIRST + 2, "text": "When?", "options": ["now", "later"], "secret": true});
    let edited = json!({"counter": FIRST + 1, "content": content("two\nlines, and an é", 2, &line)});
    vec![
        ("line", json!({"Line": {"line": first}})),
        ("edit of a reply with a mention", json!({"Line": {"line": edited}})),
        ("delete", json!({"Delete": {"line": line}})),
        ("like", react("Like")),
        ("heart", react("Heart")),
        ("laugh", react("Laugh")),
        ("surprised", react("Surprised")),
        ("celebrate", react("Celebrate")),
        ("private", json!({"Private": {"to": 7, "sealed": hex([7; 100])}})),
        ("key wanted", json!({"KeyWanted": {"of": 7}})),
        ("key", json!({"Key": {"public": hex([6; 1_216])}})),
        ("history wanted", json!({"HistoryWanted": {}})),
        (
            "history",
            json!({"History": {
                "to": [7, u64::MAX], "lines": [{"device": device, "place": 12, "line": first}], "last": true,
            }}),
        ),
        ("vote", json!({"Vote": {"question": question}})),
        (
            "ballot",
            json!({"Ballot": {"ballot": {
                "ballot": {"vote": {"device": device, "counter": FIRST + 2}, "choice": 1}, "number": NUMBER, "name": "Ada",
            }}}),
        ),
        ("end of a vote", json!({"VoteEnd": {"counter": FIRST + 2, "counts": [2, 70_000]}})),
        (
            "open vote",
            json!({"OpenVote": {
                "to": [7], "question": question, "place": 13,
                "ballots": [{"device": device, "choice": 1, "number": NUMBER, "name": "Ada"}],
            }}),
        ),
    ]
}

fn says_private(device: &str) -> Vec<Says> {
    let line = json!({"device": device, "counter": FIRST});
    vec![
        ("private line", json!({"Line": {"counter": FIRST + 3, "content": content("only for you", 0, &Value::Null)}})),
        ("private delete", json!({"Delete": {"line": line}})),
        ("private react", json!({"React": {"reaction": {"line": line, "reaction": "Like", "on": false}}})),
        ("secret ballot", json!({"Ballot": {"ballot": {"vote": line, "choice": 0}, "number": NUMBER}})),
    ]
}

fn content(text: &str, revision: u32, reply: &Value) -> Value {
    let mentions = reply.get("device").map_or_else(Vec::new, |device| vec![device.clone()]);
    json!({
        "revision": revision, "time": 1_800_000_000, "name": "Ada", "text": text, "reply": reply,
        "mentions": mentions,
    })
}

const FIRST: u64 = 0x1122_3344_5566_7788;
const NUMBER: u64 = 1_800_000_001;
