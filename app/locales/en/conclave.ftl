### What the client says, in English: plain, sentence case, no exclamation.

app-name = Conclave
language-name = English
menu-language = Language
menu-theme = Appearance
menu-preferences = Language and appearance
menu-bandwidth = Bandwidth
bandwidth-automatic = Automatic
bandwidth-limited = Limited
bandwidth-save-data = Save data
bandwidth-incoming-off = Turn off incoming video
bandwidth-incoming-off-short = Incoming video is off
bandwidth-send = Maximum upload
bandwidth-receive = Maximum download
bandwidth-unlimited = No limit
bandwidth-policy = { $rate } · Set by your organisation
bandwidth-policy-short = Set by your organisation
bandwidth-network = This network
bandwidth-metered = Metered connection
bandwidth-forget = Forget known networks
theme-system = Match system
theme-dark = Dark
theme-light = Light
theme-contrast = High contrast, dark
theme-contrast-light = High contrast, light
action-back = Back
action-cancel = Cancel
action-close = Close
action-dismiss = Dismiss
action-paste = Paste

## Home
home-title = Meetings only the participants can see and hear
home-lead = Audio, video and names are encrypted on this device. The server that relays them cannot read them.
home-start-title = Start a meeting
home-start-text = You get a link to send to others.
home-start = Start a meeting
home-start-later = Your other meeting is still running on this computer. Return to it or end it first.
home-join-title = Join with a link
home-join-text = Paste the link you received.
home-link = Meeting link
home-link-placeholder = conclave://…
home-join = Join
home-recent = Recent meetings
home-recent-empty = Your recent meetings will appear here.
home-recent-join = Join
home-recent-join-name = Join { $title } again
home-recent-forget = Remove { $title } from the list
home-recent-title = Meeting on { $host }
home-recent-with-one = Meeting with { $name }
home-recent-with-two = Meeting with { $first } and { $second }
home-recent-with-more = Meeting with { $first }, { $second } and { $count ->
    [one] 1 other person
   *[other] { $count } other people
}
home-recent-organised = you organised it
home-recent-over = over
home-navigation = Conclave

link-not-a-link = This is not a meeting link. A link starts with conclave://. Copy the whole link from the invitation.
link-truncated = The end of this link is missing. Copy the whole link, or ask for it again.
link-version = This link was created by another version of Conclave. Update Conclave, or ask the person who sent the link to update it.
link-host = This link does not contain a server address. Ask for it again.
link-damaged = This link has been altered. Ask for it again.

ago-now = just now
ago-minutes = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
ago-hours = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
ago-days = { $count ->
    [one] yesterday
   *[other] { $count } days ago
}

## Preview
preview-start-title = Start a meeting
preview-join-title = Join the meeting
preview-on-host = on { $host }
preview-here = on this computer
preview-picture = Your video
preview-camera-off = Your camera is off
preview-camera-none = No camera was found
preview-camera-wait = Starting the camera…
preview-microphone-none = No microphone was found
    .advice = Connect one, or continue without: you will hear the others, but they won’t hear you.
preview-again = Check again
preview-again-camera = Check again for a camera
preview-again-microphone = Check again for a microphone
preview-name = Your name
preview-name-placeholder = As the others will see it
preview-name-empty = Enter your name
preview-name-long = Use at most 64 characters
preview-camera = Camera
preview-microphone = Microphone
preview-speaker = Speaker
preview-level = Microphone level
preview-encrypted = Your name is encrypted: only the participants can see it.
connection-test = Test the connection
connection-again = Test again
connection-cancel = Cancel
connection-cancel-name = Cancel the connection test
connection-connecting = Connecting to the server…
connection-testing = Testing the connection… { $percent }%
connection-testing-tcp = UDP is blocked. Testing through TCP… { $percent }%
connection-good = Your connection is good: video in 720p.
connection-small = Your connection is slow: video will be small.
connection-sound = Your connection is too slow for video: sound only.
connection-unusable = Your connection is too poor for a meeting: sound will break up.
connection-cause-udp = Your network blocks UDP. Sound and video go through TCP, which is slower.
connection-cause-upload = Upload is slow on your network: the others will see you in lower quality.
connection-cause-download = Download is slow on your network: you will see the others in lower quality.
connection-cause-loss = Your network loses data: sound and video may break up.
connection-cause-delay = Your network is slow to respond: expect a delay in conversations.
connection-unsupported = The server can’t test the connection
    .advice = It runs an older version of Conclave. You can still ask to join.
connection-busy = The server can’t test the connection right now
    .advice = Too many tests are running. Try again in a minute.
connection-no-path = Sound and video can’t reach the server
    .advice = Your network blocks UDP, and this server does not accept sound and video through TCP.
connection-figures = { $path } · round trip { $round } · jitter { $jitter } · lost { $lostup } up, { $lostdown } down · upload { $up } · download { $down }
connection-at-least = at least { $rate }
preview-start = Start
preview-join = Join
preview-start-chat = Start with chat only
preview-join-chat = Join with chat only
preview-chat-text = Your camera and microphone stay off until you turn them on.
preview-waiting-room = Waiting room
preview-lock = Lock meeting
device-none-camera = None
device-none-sound = None
device-default-camera = Default camera
device-default-microphone = Default microphone
device-default-speaker = Default speaker
device-synthetic = Test pattern
device-file = File: { $name }
device-unplugged = { $name } (not connected)

## Joining
enter-starting = Starting the meeting…
enter-returning = Returning to the meeting…
enter-connecting = Connecting to the server…
enter-joining = Joining…
enter-approaching = Connected. Looking for the meeting…
enter-knocking = Your request to join was sent.
enter-text = Nobody can see or hear you yet.
enter-cancel = Cancel

## Meeting
meeting-title = Meeting
meeting-bar = Meeting controls
meeting-stage = Participants
meeting-status = Meeting
meeting-people-count = { $count ->
    [one] { $count } person
   *[other] { $count } people
}
meeting-alone = You’re the only person here. Send the link to the people you want to invite.
meeting-copy-link = Copy link
meeting-mute-name = Mute microphone
meeting-mute-on = Mute
meeting-mute-off = Unmute
meeting-mute-none = No microphone
meeting-camera-name = Camera
meeting-camera-on = Stop video
meeting-camera-off = Start video
meeting-camera-none = No camera
meeting-share = Share screen
meeting-share-stop = Stop sharing
meeting-people = People
meeting-people-waiting = { $count } waiting
meeting-leave = Leave
meeting-leave-name = Leave the meeting
meeting-choose-microphone = Choose microphone and speaker
meeting-choose-camera = Choose camera
meeting-full-screen = Full screen
meeting-notices = Notifications
meeting-notices-empty = No notifications yet.
meeting-sharing-you = You are sharing your screen
meeting-sharing-seen = { $count ->
    [0] Nobody else is here to see it.
    [one] One person can see it.
   *[other] { $count } people can see it.
}
meeting-talk = Unmuted while you hold the space bar

## Keyboard shortcuts
hint = { $words } ({ $keys })
key-command = Ctrl
key-command-macos = Cmd
key-shift = Shift
key-alt = Alt
key-escape = Esc
key-space = Space bar
shortcuts-title = Keyboard shortcuts
shortcut-mute = Mute or unmute
shortcut-talk = Hold to talk while muted
shortcut-camera = Start or stop video
shortcut-share = Share screen, or stop sharing
shortcut-people = Show or hide people
shortcut-close = Close a menu, a dialog or a panel
shortcut-list = Show this list
shortcut-region = Go to the next part of the window
meeting-reconnecting = Connection lost. Reconnecting…
meeting-reconnecting-text = The picture may be frozen, and the others may not see or hear you. Conclave keeps trying for two minutes. Check your network.

tile-you = { $name }, you
tile-organiser = organiser
tile-muted = muted
tile-no-microphone = no microphone
tile-speaking = speaking
tile-reconnecting = Reconnecting…
tile-camera-on = camera on
tile-camera-off = camera off
tile-no-camera = no camera
tile-no-video = no video
tile-sharing = sharing the screen
tile-screen = { $name }’s screen

## Statistics
statistics-title = Statistics
shortcut-statistics = Show or hide statistics
statistics-empty = Statistics appear here a second after you join.
statistics-path = Your connection to the server
statistics-download = Download
statistics-upload = Upload
statistics-round-trip = Round trip
statistics-unknown = not measured yet
statistics-none = none
statistics-sent = What you send
statistics-camera = Camera
statistics-screen = Screen
statistics-sound = Sound
statistics-video = Video
statistics-wished = Size on your screen
statistics-received = Received
statistics-shown = Decoded · shown
statistics-bitrate = Bitrate
statistics-loss = Lost packets
statistics-jitter = Jitter
statistics-decoding = Decoding
statistics-encoding = Encoding
statistics-delay = Audio buffer
statistics-concealed = Replaced sound
statistics-slowed = Slowed down to bridge a delay
statistics-sped-up = Sped up to catch up
statistics-fps = { $count } fps
statistics-kbps = { $rate } kbit/s
statistics-mbps = { $rate } Mbit/s
statistics-ms = { $time } ms
statistics-ms-picture = { $time } ms per picture
statistics-percent = { $part }%
statistics-lost = { $part }% lost
statistics-export = Export as CSV
statistics-export-text = The last hour of each connection, second by second, for the people who look after your network.

quality-good = good connection
quality-fair = unstable connection
quality-poor = poor connection

## Why a picture is reduced. The label on the tile must be short.
limit-cause = Cause: { $owner }
limit-owner-computer = your computer
limit-owner-you = you, by a setting
limit-owner-organisation = your organisation
limit-owner-sender = { $name }
limit-owner-server = the server
limit-owner-path = your network
limit-figures = { $shown } of { $wished }, { $rate } fps
limit-reconnecting = Your connection is lost: the picture is frozen.
    .short = Reconnecting…
limit-sender-reconnecting = { $name } lost the connection and is reconnecting.
    .short = Reconnecting…
limit-connecting = The video from { $name } has not arrived yet.
    .short = Connecting…
limit-not-visible = The video from { $name } is paused because you do not see it.
    .short = Paused
limit-sound-only = Your network is too slow for video: you only get sound.
    .short = Slow network: sound only
limit-downlink-narrow = Your network is slow: { $name }’s video is reduced.
    .short = Your network is slow
limit-downlink-loss = Your network loses data: { $name }’s video is reduced.
    .short = Your network is unstable
limit-own-receive = You limit your bandwidth: { $name }’s video is reduced.
    .short = Your bandwidth limit
limit-policy-receive = Your organisation limits the bandwidth: { $name }’s video is reduced.
    .short = Your organisation’s limit
limit-incoming-off = You turned off incoming video.
    .short = Incoming video is off
limit-own-send = You limit your bandwidth: the others see your video reduced.
    .short = Your bandwidth limit
limit-policy-send = Your organisation limits the bandwidth: the others see your video reduced.
    .short = Your organisation’s limit
limit-own-battery = Your battery is low: the others see your video reduced.
    .short = Your battery is low
limit-own-heat = Your computer is too hot: the others see your video reduced.
    .short = Your computer is too hot
limit-own-uplink = Your network is slow: the others see your video reduced.
    .short = Your network is slow
limit-own-computer = Your computer is busy: { $name }’s video is reduced.
    .short = Your computer is busy
limit-own-computer-sent = Your computer is busy: the others see your video reduced.
limit-sender-uplink = { $name }’s network is slow: their video is reduced.
    .short = Their network is slow
limit-sender-computer = { $name }’s computer is busy: their video is reduced.
    .short = Their computer is busy
limit-sender-camera = { $name }’s camera gives no more detail.
    .short = Low-resolution camera
limit-sender-screen = The screen that { $name } shares has no more detail.
    .short = Low-resolution screen
limit-sender = { $name }’s device sends reduced video.
    .short = Reduced by the sender
limit-server = The server reduces { $name }’s video.
    .short = Reduced by the server

## Leaving
leave-title = Leave the meeting?
leave-guest-text = The meeting continues without you.
leave-leave = Leave
leave-leave-text = The others continue without you. Nobody else can join until you return.
leave-leave-hosted-text = The others continue without you for as long as Conclave stays open on this computer. Nobody else can join until you return.
leave-end = End for everyone
leave-end-alone = End the meeting
leave-end-text = The meeting ends for all participants, and its link stops working.
leave-end-alone-text = Nobody else is in the meeting. Its link stops working.
leave-host = Keep hosting in the background
leave-host-text = The others continue, and people with the link can still join. They no longer see or hear you, and you don’t see or hear them.
leave-host-alone-text = People with the link can still join. They won’t see or hear you until you return.
end-title = End the meeting for everyone?
end-alone-title = End the meeting?
end-close-title = Close Conclave and end the meeting?
end-close-text = The meeting runs on this computer. If you close Conclave, it ends for all participants, and its link stops working.
end-close-alone-text = The meeting runs on this computer, and nobody else is in it. If you close Conclave, it ends, and its link stops working.
end-close-confirm = Close and end
hosted-background = Your meeting is still running
hosted-background-text = { $count ->
    [0] Nobody else is in it. People with the link can join; they won’t see or hear you until you return.
    [one] One other person is in it. You don’t see or hear each other. People with the link can still join.
   *[other] { $count } other people are in it. They don’t see or hear you, and you don’t see or hear them. People with the link can still join.
}
hosted-left = You left your meeting
hosted-left-here-text = The others are still in it, for as long as Conclave stays open on this computer. Nobody else can join until you return.
hosted-left-elsewhere-text = The others may still be in it. Nobody else can join until you return. You can return as organiser until you close Conclave.
hosted-return = Return
hosted-forget = Don’t return

## Requests to join
asking-title = Requests to join
asking-name = { $name } asks to join
asking-text = Admit only people you expect: names are not verified.
asking-admit = Admit
asking-admit-name = Admit { $name }
asking-reply = Reply…
asking-reply-name = Reply to { $name }, or decline with a reason
asking-decline = Decline
asking-decline-name = Decline { $name }
asking-more = { $count ->
    [one] One more person is asking to join.
   *[other] { $count } more people are asking to join.
}

## Waiting room
lobby-title = Waiting room ({ $count })
lobby-admit = Admit
lobby-admit-name = Admit { $name }
lobby-admit-all = Admit all
lobby-refuse = Refuse
lobby-refuse-name = Refuse { $name }
lobby-message = Message
lobby-message-name = Message to { $name }
lobby-unread = { $count ->
    [one] One new message
   *[other] { $count } new messages
}
lobby-known = Was in this meeting before
lobby-guest = Guest, not verified
lobby-sent-back = Sent back to the waiting room
lobby-current-link = current link
lobby-old-link = old link
lobby-waiting = { $minutes ->
    [0] waiting for less than a minute
    [one] waiting for a minute
   *[other] waiting for { $minutes } minutes
}
lobby-reason = Reason, which the person will read
lobby-reason-not-now = Not now: come back later
lobby-reason-not-invited = Not expected in this meeting
lobby-reason-full = Enough participants
lobby-reason-none = No reason
lobby-rules = Who can join
lobby-known-rule = Admit people you know automatically
lobby-known-rule-text = Known devices, and people whom an organisation that you trust has verified. Nobody else skips the waiting room.
lobby-flag-waiting = Waiting room
lobby-flag-waiting-on = People wait until someone admits them. Those who were in the meeting before don’t wait.
lobby-flag-waiting-off = Off: anyone with the link can join without waiting.
lobby-flag-lock = Lock the meeting
lobby-flag-lock-on = Locked: nobody else can join, even with the link.
lobby-flag-lock-off = Off: new people can join.
lobby-change-link = Change the link
lobby-send-back-title = Send { $name } to the waiting room?
lobby-send-back-text = { $name } won’t see or hear anything more until someone lets them in again. The keys change for everyone else.
lobby-send-back-text-locked = { $name } won’t see or hear anything more, and can ask to come back only once the meeting is unlocked. The keys change for everyone else.
lobby-send-back-text-off = { $name } won’t see or hear anything more until someone lets them in again. The waiting room is turned on, and the keys change for everyone else.
lobby-send-back-confirm = Send
lobby-chat = Messages
lobby-send = Send
lobby-not-sent = Not sent. Wait a moment, then try again.
lobby-you = You
lobby-organiser = Organiser or co-organiser
lobby-waiting-title = Waiting room
lobby-received = { $minutes ->
    [0] The organiser received your request less than a minute ago.
    [one] The organiser received your request a minute ago.
   *[other] The organiser received your request { $minutes } minutes ago.
}
lobby-not-received = No answer yet. If the meeting has a waiting room, you wait until someone lets you in.
lobby-received-co = { $minutes ->
    [0] A co-organiser received your request less than a minute ago.
    [one] A co-organiser received your request a minute ago.
   *[other] A co-organiser received your request { $minutes } minutes ago.
}
lobby-sent = { $minutes ->
    [0] You asked to join less than a minute ago.
    [one] You asked to join a minute ago.
   *[other] You asked to join { $minutes } minutes ago.
}
lobby-nobody = Nobody who can let you in is in the meeting right now. Your request is kept: they get it when they are back.
lobby-you-sent-back = You were sent back to the waiting room. Your video and your screen are off, and you are muted.
lobby-write = Message to the organisers
lobby-write-text = Only the people who can let you in can read it.

## People
people-title = People
people-organiser = Organiser
people-remove = Remove { $name }
people-remove-title = Remove { $name }?
people-remove-text = { $name } will be removed immediately and won’t see or hear anything more. The keys change for everyone else.
people-remove-confirm = Remove
people-device = Device { $key }
name-alike = Name looks like another participant’s
name-mixed = Name mixes alphabets that look alike
people-invite = Copy invitation link
people-address = Address in the link
people-address-other = Other name or address
people-address-wrong = Enter a name or an address without a port, such as meet.example.org.
people-invite-text = Anyone with this link can join.
people-invite-unattended = The organiser has left: nobody else can join.
people-invite-waiting = Anyone with this link can ask to join.
people-invite-right = An organiser must allow you to invite people first.
people-invite-locked = The meeting is locked: nobody else can join.

## Sharing
share-title = Share your screen
share-text = Everyone in the meeting will see everything on the screen you choose, notifications included.
share-screen = Screen { $number }
share-only-screen = Your screen
share-video-clip = Optimise for video clip
share-confirm = Share
hint-video = Video
hint-sign-language = I use sign language: keep my video smooth
knock-sound = Play a sound when someone asks to join

## Security
lock-open = Securing…
lock-closed = End-to-end encrypted
lock-verified = Encrypted and verified
lock-attention = Verify again
lock-different = Words differ
lock-forked = Keys differ
lock-button = Security: { $state }
lock-title = Meeting security
lock-closed-text = Only the { $count ->
    [one] person
   *[other] { $count } people
} in the list can see and hear the meeting.
lock-open-text = The encryption keys are being exchanged. Nothing is sent until then.
lock-verified-text = You compared the words with the others: nobody is intercepting the meeting.
lock-attention-text = Someone joined or left since you verified. The keys have changed, and so have the words.
lock-different-text = Make sure you all read the same list, and that nobody is joining at this moment. If the words still differ, someone may be intercepting the meeting: say nothing confidential, leave, and start a new meeting. Send its link another way, in person or by phone.
lock-forked-text = Not everyone in the list has your keys. Say nothing confidential, and compare the words.
lock-words = Verification words
lock-words-text = Read one of the two lists aloud, all the same one. If everyone sees the same words, nobody is intercepting the meeting.
lock-words-english = English words
lock-words-french = French words
lock-confirm = Words match
lock-differ = Words differ
lock-match-after-all = The words match after all
lock-confirmed = Words verified
lock-epoch = { $count ->
    [0] Keys not changed yet
    [one] Keys changed once
   *[other] Keys changed { $count } times
}
lock-suite = Cipher suite { $suite }
lock-passing = This device’s key is not saved when Conclave closes: next time, the others will see it as a new device.

## Announcements to assistive tools
said-joined = { $name } joined
said-left = { $name } left
said-joined-many = { $count } people joined
said-left-many = { $count } people left
said-muted = You are muted
said-unmuted = You are no longer muted
said-sharing = { $name } is sharing the screen
said-sharing-ended = { $name } stopped sharing the screen
said-entered = You are in the meeting
said-name-alike = The name { $name } looks like another participant’s
said-name-mixed = The name { $name } mixes alphabets that look alike
said-asking = { $name } asks to join
said-asking-many = { $count } people ask to join
said-asker-writes = { $name } wrote from the waiting room
said-organiser-writes = An organiser writes: { $text }
said-request-received = The organiser received your request
said-request-received-co = A co-organiser received your request

## Notifications: what happened, where the cause is, what to do
notice-region = Notifications
notice-details = Details: { $detail }
fault-here = This computer
fault-network = The network
fault-server = The server
fault-link = The invitation
fault-peer = Another participant
notice-no-camera = No camera was found
    .advice = Connect one, or continue without video: the others see your initials.
notice-camera-taken = Another program is using the camera
    .advice = Close that program, then start your video again.
notice-camera-lost = The camera stopped
    .advice = It was unplugged or failed. Connect it again, or choose another one.
notice-camera-failed = The camera cannot be opened
    .advice = Allow Conclave to use it in the system’s privacy settings, or choose another camera.
notice-no-sound = No sound device was found
    .advice = You cannot hear the others, and they cannot hear you. Connect a headset: Conclave will use it.
notice-no-microphone = The microphone could not be opened
    .advice = You can hear the others, but they cannot hear you. Check that it is connected, or use another one.
notice-no-speaker = The speaker could not be opened
    .advice = The others can hear you, but you cannot hear them. Check that it is connected, or use another one.
notice-sound-refused = The sound server refused this program
    .advice = You cannot hear the others, and they cannot hear you. Start Conclave as the user who is logged in, or copy that user’s file ~/.config/pulse/cookie.
notice-sound-lost = A microphone or speaker stopped
    .advice = It was unplugged or failed. Connect it again, or connect another one: Conclave will use it.
notice-sound-back = A microphone or speaker is connected
    .advice = Conclave now uses it. The details say which one. If you had no microphone, unmute yourself to be heard.
notice-missing-file = The file { $name } does not exist
    .advice = It may have been moved, renamed or deleted. Check its name and its folder, or choose another file.
notice-bad-file = The file { $name } cannot be used
    .advice = It may be damaged, or you may not have permission to use it. Choose another file.
notice-file-format = Conclave cannot play { $name }
    .advice = Conclave plays MP4 with H.264 (8 bit, 4:2:0, progressive) and Y4M. Convert the file with: ffmpeg -i FILE -vf yadif=deint=interlaced -c:v libx264 -pix_fmt yuv420p NEW.mp4
notice-sound-format = Conclave does not play this kind of sound file
    .advice = It plays WAV with PCM or floating-point samples. Convert the file with: ffmpeg -i FILE -c:a pcm_s16le NEW.wav
notice-not-written = The file { $name } cannot be written
    .advice = Its folder does not exist, or you may not write to it. What you see and hear is not recorded there. Choose another folder.
notice-disk-full = The disk is full
    .advice = The file { $name } is no longer written. The meeting continues. Free some space, then start again.
notice-no-screen = The screen cannot be shared
    .advice = The details say why. If the system did not allow it, check the screen sharing permissions of this session.
notice-screen-format = This screen cannot be shared
    .advice = Its colour format is not supported. Set the display to 24-bit colour, then share it again.
notice-too-narrow = This video is too narrow to be sent
    .advice = One side is more than 240 times as long as the other. Choose another camera, file or screen.
notice-still-waiting = Nobody has answered yet
    .advice = Your request is waiting for the organiser. Wait, or contact the organiser another way.
notice-nobody-admits = Nobody can let you in
    .advice = The organiser has left. Ask the organiser to come back.
notice-organiser-left = The organiser has left the meeting
    .advice = You can continue, but nobody else can join.
notice-overloaded = This computer is too slow to send everything
    .advice = Your video is sent with fewer pictures per second. Close other programs to improve it.
notice-codec-replaced = Video now uses another encoder or decoder
    .advice = The first one failed, and the video continues. If this happens often, update your graphics driver.
notice-track-failed = Your video cannot be sent
    .advice = This computer could not encode it. Turn on the camera or share the screen again. If that fails, restart Conclave.
notice-peer-unreadable = A participant’s video cannot be shown
    .advice = It cannot be decrypted or decoded. If this continues, ask the participant to leave and join again.
notice-not-allowed = You do not have the right to do this
    .advice = Ask the organiser for the right, or to do it for you.
notice-not-below = You can only change and remove people whose role is lower than yours
    .advice = Ask the organiser to do it.
notice-person-left = This participant has left the meeting
    .advice = Their role was not changed. Try again if they come back.
notice-right-impossible = Only a co-organiser can have this right
    .advice = Make the participant a co-organiser first.
notice-too-many-roles = Too many participants have a role or rights of their own
    .advice = Set a participant’s role back to the default first, then try again.
notice-keys-missing = Your new role is still being set up
    .advice = The other organiser’s computer sends it the keys of the meeting. Try again in a moment.
notice-not-removed = A participant could not be removed
    .advice = They are still in the meeting. Try again, or leave and start a new meeting without them.
notice-change-rejected = A participant’s change of the meeting was rejected
    .advice = It was invalid or not allowed, so this computer ignores it. If this continues, the organiser can remove the participant.
notice-keys-unreadable = A participant’s app sent keys that your app could not read
    .advice = An honest app does not do that. Your app reconnects by itself if the others could read them. The details name the participant.
notice-keys-reported = A participant’s app sent keys that another participant’s app could not read
    .advice = An honest app does not do that, but the report may be false. The details name the sender, then who reported it. If this continues, remove one of them.
notice-reconnecting = The connection was lost. Reconnecting…
    .advice = You stay in the meeting. It continues as soon as the connection is back.
notice-reconnected = You are connected again
    .advice = The meeting continues.
notice-old-link-refused = Someone tried to join with an old link
    .advice = The link has changed. Send the new link to those who should join.
notice-wrong-clock = This computer’s clock and the server’s differ
    .advice = If this computer’s clock is wrong, nobody can join your meeting: turn on automatic date and time.
notice-refused = That did not work
    .advice = The meeting was busy. Try again in a moment.
notice-link-not-changed = The link could not be changed
    .advice = It may have changed too many times. If you need another link, start a new meeting.
notice-no-gpu = Video is shown without the graphics card
    .advice = No usable graphics driver was found. Large meetings will be slower.
notice-no-keychain = This device’s key cannot be saved
    .advice = The system’s keychain does not answer. The meeting is still end-to-end encrypted, but next time the others will see this device as a new one.
notice-link-changed = The link has changed
    .advice = The old one no longer lets people in by itself. Send the new one to the people you still expect.
notice-statistics-saved = Statistics saved as { $name }
    .advice = The folder is named in the details.
notice-chat-saved = Chat saved as { $name }
    .advice = The folder is named in the details.
notice-mentioned = { $name } mentioned you in the chat
    .advice = Open the chat to read the message.
notice-chat-not-changed = Your change in the chat was not carried out
    .advice = You may have lost the right to it, or the message is gone. Try again.
notice-no-browser = The browser couldn’t be opened
    .advice = Copy the message and open the link yourself.
notice-link-copied = Link copied
    .advice = Send it only to the people you want to invite: anyone with this link can join.

## Why a meeting is over
ended-title = You’re no longer in the meeting
ended-outside = You did not join the meeting
ended-not-started = The meeting could not be started
ended-home = Home
ended-again = Try again
ended-left = You left the meeting
    .advice = It continues without you.
ended-removed = The organiser removed you
    .advice = You can no longer see or hear the meeting. If this was a mistake, contact the organiser.
ended-refused = The organiser declined your request
    .advice = If this was a mistake, contact the organiser another way.
ended-unattended = Nobody could let you in
    .advice = The organiser has left. Ask the organiser to come back, then try again.
ended-barred = You were removed from this meeting
    .advice = You cannot join it again. If this was a mistake, contact the organiser.
ended-old-link = This link is no longer valid
    .advice = The organiser changed it. Ask the organiser for the new link.
ended-locked = The meeting is locked
    .advice = Nobody else can join. Ask the organiser to unlock it, then try again.
ended-not-now = The organiser asks you to come back later
    .advice = Try again later, or contact the organiser another way.
ended-not-invited = The organiser does not expect you in this meeting
    .advice = Check that you used the right link, and the name that people know you by. If this was a mistake, contact the organiser another way.
ended-no-room = The organiser is not letting anyone else in
    .advice = The meeting has enough participants. Try again when someone has left.
ended-unreadable-request = Your request to join could not be read
    .advice = Check that you have the whole link, or ask for it again. If that does not help, update Conclave.
ended-own-clock = This computer’s clock is wrong
    .advice = Turn on automatic date and time, then try again.
ended-organiser-clock = The clock of the organiser’s computer is wrong
    .advice = Ask the organiser to turn on automatic date and time, then try again.
ended-ended = The organiser ended the meeting
    .advice = It is over for everyone.
ended-no-meeting = This meeting no longer exists
    .advice = It has ended, or the link is wrong. Ask for a new link.
ended-unreachable = The server does not answer
    .advice = Check your network. If it works, the server may be down, or your network may block it.
ended-sign-in = This network shows a web page instead of the server
    .advice = You may have to sign in to this network: open any web page in your browser, sign in, then try again. If no such page appears, someone may be intercepting the connection: use another network.
ended-proxy = The network’s proxy blocks the connection
    .advice = Check the proxy’s address, user name and password, or ask your network’s administrator. If it worked before, try again.
ended-certificate = The server is not the expected one
    .advice = Someone may be intercepting the connection, the server was reinstalled, or the link or the fingerprint has a typing error. Do not continue; ask for the link again.
ended-version = The server uses another version of Conclave
    .advice = Update Conclave, or ask the server’s administrator to update the server.
ended-server-silent = The server stopped responding
    .advice = It may come back in a moment. Try again.
ended-no-guests = Guests can’t join this meeting
    .advice = Join with a certificate of your organisation, or ask the organiser to allow guests.
ended-full = The meeting is full
    .advice = Try again when someone has left, or ask the server’s administrator to raise the limit.
ended-draining = The server is shutting down
    .advice = It is probably being updated. Try again in a few minutes.
ended-host-stopped = The host ended the meeting
    .advice = It ran on the host’s computer, which no longer hosts it. If you need to continue, ask for a new link.
ended-server = Server error
    .advice = The connection was closed as a precaution. Try again; if this continues, tell the server’s administrator.
ended-forged = The encryption keys are not the ones in the link
    .advice = Someone may be intercepting the connection. Nothing was sent. Ask for a new link another way.
ended-false-welcome = A participant is keeping you out of your meeting
    .advice = When you ask to come back, someone in the meeting answers with false keys. Try again. If this continues, start a new meeting and send its link only to people you trust.
ended-here = Something went wrong on this computer
    .advice = Try again. If this continues, restart Conclave.

## Causes of failures, inside details
cause-of = { $subject }: { $cause }
cause-in-english = { $detail }
cause-web-page = a web page answers instead of the server
cause-proxy-browser = sign-in with a browser required
cause-proxy-negotiate = the proxy only accepts Negotiate (Kerberos, your company session), which is not supported yet. Ask IT to let this server through without the proxy, or to accept a user name and password
cause-proxy-ntlm = the proxy only accepts NTLM (your Windows session), which is not supported. Ask IT to let this server through without the proxy, or to accept a user name and password
cause-proxy-scheme = sign-in by a method that is not supported yet
cause-proxy-user = user name and password required
cause-not-proxy = no proxy of this kind at this address
cause-proxy-refuses = the proxy refuses the connection to the server
cause-closed = connection closed
cause-refused = connection refused
cause-interrupted = connection interrupted
cause-timeout = no answer in time
cause-unreachable = network unreachable
cause-unknown-host = server name not found
cause-certificate = certificate not recognised
cause-no-sound = neither microphone nor speaker
cause-no-camera = no camera
cause-no-microphone = no microphone
cause-no-speaker = no speaker
cause-absent = not found
cause-denied = access denied
cause-busy = already in use by another program
cause-full = disk full
cause-silent = no response
cause-lost = unplugged or stopped
cause-format = format not supported

## Command line
headless-joined = Joined the meeting as { $name }.
window-closed = The window cannot be opened
    .advice = Start Conclave in a graphical session, or go without a window: conclave meet --headless, conclave join LINK --headless.
host-cannot-listen = The server cannot listen at { $subject }
    .advice = Choose another address with --listen.
host-cannot-start = The server cannot start
    .advice = Try again, or use another server with --server.

## Chat
chat-title = Chat
chat-unread = { $count ->
    [one] { $count } new message
   *[other] { $count } new messages
}
chat-list = Messages
chat-empty = No messages yet.
chat-none-found = No message contains this text.
chat-earlier = Show earlier messages
chat-gap = You were disconnected. Some messages may be missing here.
chat-you = { $name } (you)
chat-now = now
chat-minutes = { $count } min ago
chat-hours = { $count } h ago
chat-edited = edited
chat-deleted = Message deleted
chat-removed-by = Removed by { $name }
chat-sending = Sending…
chat-failed = Not sent
chat-retry = Try again
chat-discard = Discard
chat-private = Private message to you
chat-private-to = Private message to { $name }
chat-passed-on = from before you joined, passed on by { $name }
chat-passed-on-unproved = passed on by { $name }; the author has left and can’t be verified
chat-more = Actions for the message from { $name }
chat-reply = Reply
chat-edit = Edit
chat-delete = Delete
chat-remove = Remove for everyone
chat-copy = Copy text
chat-open-link = Open { $link }
chat-link-title = Open this link in your browser?
chat-link-text = { $link }
chat-link-confirm = Open link
chat-react-like = Like
chat-react-heart = Heart
chat-react-laugh = Laugh
chat-react-surprised = Surprised
chat-react-celebrate = Celebrate
chat-reacted = { $reaction }: { $names }
chat-replying = Replying to { $name }
chat-editing = Editing your message
chat-reply-gone = A message that isn’t shown here
chat-to = To
chat-to-everyone = Everyone
chat-to-change = Choose who gets your message
chat-field = Message
chat-placeholder = Write a message
chat-placeholder-private = Write to { $name } only
chat-send = Send
chat-to-left = { $name } has left the meeting. Choose who gets this message.
chat-whole = Show all
chat-less = Show less
chat-too-long = This message is too long. Send it in parts.
chat-show-typing = Show my text while I type
chat-typing = { $name } is typing
chat-typing-list = People who are typing
chat-typing-more = { $count ->
    [one] One more person is typing
   *[other] { $count } more people are typing
}
chat-mention = Mention { $name }
chat-mention-list = People to mention
chat-no-right = The organiser has turned off chat for you.
chat-kept = People who join later can read messages to everyone.
chat-not-kept = People who join later can’t read earlier messages.
chat-keep = Show messages to people who join later
chat-search = Search messages
chat-search-button = Search
chat-export = Save chat to a file
chat-export-right = Only people with this right can save the chat.
chat-export-off = An organiser has turned off saving the chat.
chat-file-head = Conclave: chat of a meeting, saved by { $name } on { $time }
shortcut-chat = Show or hide the chat
said-chat = Message from { $name }: { $text }
said-chat-private = Private message from { $name }: { $text }
said-chat-many = { $count } new messages in the chat
said-chat-flood = { $name } sends too many messages; some aren’t shown
said-typing = { $name } is typing: { $text }
vote-start = Start a vote
vote-question = Question
vote-option = Answer { $number }
vote-options = Answers
vote-secret = Secret ballot
vote-secret-why = Only you receive the votes. The others see the result when you end the vote.
vote-open-why = Everyone sees who votes for what.
vote-begin = Start vote
vote-too-long = This text is too long.
vote-choose = Vote for { $option }
vote-count = { $count ->
        [one] { $count } vote
       *[other] { $count } votes
    }
vote-is-open = everyone sees who votes for what
vote-is-secret = Secret ballot: only { $name } receives the votes
vote-is-mine = secret ballot, only you receive the votes
vote-ended = Vote ended
vote-counted-by = counted by { $name }
vote-end = End vote
## Who speaks
notice-forged = Someone sends pictures or sound in the name of another participant
    .advice = Conclave does not show or play them. It takes a participant and the server to do this: continue on a server that you trust.
tile-forged = Hidden: from someone else
tile-forged-text = Someone else sends pictures or sound in { $name }’s name. Conclave does not show or play them.
tile-unproven = Hidden: not confirmed
tile-unproven-text = Nothing confirms that these pictures or this sound come from { $name }. Conclave hides them until something does.
## What organisers do in the room
by-organiser = { $name } (organiser)
by-co-organiser = { $name } (co-organiser)
by-somebody = An organiser
people-co-organiser = Co-organiser
people-presenter = Presenter
people-guest = Guest
people-participant = Participant
people-succession = Co-organiser, no. { $order }
people-succession-name = Co-organiser, number { $order } in line to take over
people-muted = Can’t unmute
people-mute-all = Mute all
people-allow-all = Let everyone unmute
person-menu = More for { $name }
person-mute = Mute
person-stop-camera = Stop video
person-stop-share = Don’t allow screen sharing
person-allow-microphone = Allow to unmute
person-allow-camera = Allow video
person-allow-share = Allow screen sharing
person-lower-hand = Lower hand
person-make-co-organiser = Make co-organiser
person-make-presenter = Make presenter
person-make-participant = Make participant
person-make-guest = Make guest
person-hand-over = Hand over the meeting…
person-send-back = Send to the waiting room…
person-rights = Rights…
rights-title = Rights of { $name }
rights-role = Role: { $role }
rights-text = Allowing something turns nothing on: { $name } unmutes, starts video or shares when ready.
rights-by-role = Comes with the role
rights-not-by-role = Not part of the role
rights-granted = Exception: allowed for this person
rights-withdrawn = Exception: not allowed for this person
rights-managers-only = Only organisers and co-organisers can do this.
rights-not-own = You can’t allow this, because you can’t do it yourself.
rights-done = Done
right-microphone = Unmute
    .verb = unmute
right-camera = Start video
    .verb = start video
right-share = Share the screen
    .verb = share your screen
right-chat = Write in the chat
    .verb = write in the chat
right-react = React and raise a hand
    .verb = react and raise a hand
right-record = Save the chat to a file
    .verb = save the chat
right-invite = Copy the invitation link
    .verb = copy the invitation link
right-admit = Let people in
    .verb = let people in
right-remove = Remove people
    .verb = remove people
right-set-role = Change roles
    .verb = change roles
right-delegate = Mute people and change their rights
    .verb = mute people and change their rights
rules = Meeting settings
rules-now-waiting = Waiting room on
rules-now-no-waiting = No waiting room
rules-now-locked = Locked
rules-title = Rules for everyone
rules-guests = Allow guests
rules-guests-on = New people can join without showing who they are.
rules-guests-off = Off: only people with an organisation’s certificate, or who were in this meeting before.
rules-save = Allow saving the chat
rules-save-on = People with this right can save the chat to a file.
rules-save-off = Off: nobody can save the chat, not even you.
rules-role = New people join as
rules-role-text = Also changes the people here who have no role or rights of their own.
hand-over-title = Hand over the meeting to { $name }?
hand-over-text = { $name } becomes the organiser and can do everything, including removing you. You become a co-organiser and can’t undo this.
hand-over-confirm = Hand over
hand-raise = Raise hand
hand-lower = Lower hand
hand-name = Hand
hand-place = Number { $place } in line
hands-title = { $count ->
    [one] 1 raised hand
   *[other] { $count } raised hands
}
hands-line = { $place }. { $name }
hands-lower = Lower { $name }’s hand
hands-lower-all = Lower all
stop-everything = Stop everything…
stop-title = Stop everything?
stop-text = Everyone else goes back to the waiting room immediately, and won’t see or hear anything more. You decide who comes back. Your microphone, camera and sharing are turned off. The keys and the link change. Co-organisers lose their role. To confirm, you can also press { $keys } again.
stop-confirm = Stop everything
shortcut-hand = Raise or lower your hand
meeting-mute-forbidden = Muted
meeting-camera-forbidden = Video off
meeting-share-forbidden = Can’t share
tile-muted-by = muted by an organiser
tile-camera-by = video stopped by an organiser
tile-note-muted = Muted by an organiser
tile-hand = hand raised
said-hand = { $name } raised a hand
said-hand-many = { $count } people raised a hand
notice-muted-by = { $name } muted you
    .advice = You can ask to speak: raise your hand.
notice-camera-stopped-by = { $name } doesn’t allow your video
    .advice = Nobody sees you now. You can ask for it: raise your hand.
notice-share-stopped-by = { $name } doesn’t allow you to share your screen
    .advice = Nobody sees your screen now. You can ask for it: raise your hand.
notice-microphone-allowed = { $name } lets you speak again
    .advice = You are still muted. Unmute when you want to speak.
notice-camera-allowed = { $name } allows your video
    .advice = Your camera is still off. Start your video when you want.
notice-share-allowed = { $name } lets you share your screen
    .advice = Nothing is shared yet. Choose “Share screen” when you want.
notice-rights-granted = { $name } gave you the right to { $rights }
    .advice = You can do this now. Nothing was turned on for you.
notice-rights-withdrawn = { $name } took away your right to { $rights }
    .advice = You can ask for it: contact an organiser.
notice-role-organiser = { $name } handed the meeting over to you
    .advice = You are the organiser now: you let people in, mute and remove them, and end the meeting.
notice-role-co-organiser = { $name } made you a co-organiser
    .advice = You can let people in, and mute and remove participants.
notice-role-presenter = { $name } made you a presenter
    .advice = Presenters can share their screen, unless an organiser has turned it off for them.
notice-role-participant = { $name } made you a participant
    .advice = You have the rights of a participant now.
notice-role-guest = { $name } made you a guest
    .advice = Guests can speak, show their video and chat, unless an organiser has turned it off for them.
notice-succeeded = You are the organiser now
    .advice = The organiser has left, and you were next in line.
notice-hand-lowered = { $name } lowered your hand
    .advice = You can raise it again.
notice-may-not-speak = An organiser has muted you
    .advice = You can ask to speak: raise your hand.
notice-may-not-camera = An organiser must allow your video first
    .advice = You can ask for it: raise your hand.
notice-may-not-share = An organiser must allow you to share your screen first
    .advice = You can ask for it: raise your hand.
ended-removed-by = { $name } removed you
    .advice = You can no longer see or hear the meeting. If this was a mistake, contact the organiser.

## Who is who
identity-date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
identity-verified = Verified by { $organisation }
identity-verified-as = Verified by { $organisation } as { $person }
identity-untrusted = Certificate of an organisation that you don’t trust
identity-expired = The certificate has expired
identity-not-yet-valid = The certificate isn’t valid yet: check the date on this computer
identity-other-key = The certificate belongs to another device
identity-invalid = The certificate isn’t valid
identity-known = Known device since { $date }
identity-other-name = Known device since { $date }, under another name
identity-new = New device
identity-other-device = This is not the device that you know as { $name }
identity-note = Not the device you know
identity-advice = Ask { $name } to read the twelve words aloud, and listen: are they yours, in a voice you know?
identity-advice-asking = Before you admit this person, check with { $name } another way, by phone for example.
identity-compare = Compare the words
identity-compare-name = Compare the words with { $name }
identity-accept = { $name } uses a new device: remember it
notice-other-device = This is not the device that you know as { $name }
    .advice = Compare the twelve words with { $name }. If { $name } really uses a new device, say so in the list of participants.
notice-devices-damaged = The list of the devices that you know was damaged
    .advice = It was set aside, so everyone counts as new. Compare the twelve words with the people you usually meet.

## Whether all are in the same group
notice-forked = Your keys differ from those of { $name }
    .advice = The server may be splitting the meeting, or someone’s Conclave is faulty. Say nothing confidential. Compare the words another way, by phone for example, or leave. In the meantime, nobody else can join.
notice-unheard = You receive nothing from { $name }
    .advice = The server may be withholding messages, whatever it reports about the connection. Ask another way, by phone for example.
notice-misnumbered = The server is not sending { $name } the same information as you
    .advice = You still have the same keys, but the server is faulty or dishonest. Compare the words, and tell the person who runs the server.
notice-agreed = Everyone has the same keys again
    .advice = New people can be let in again.
notice-other-group = Your keys were not those of { $name }, so you are joining again
    .advice = If this happens again, the server may be splitting the meeting: compare the words with the others.
fork-with = Same keys as you: { $name }
fork-alone = Nobody seems to have the same keys as you.
fork-compare = Show the words

## The pictures to compare
emoji-sun = sun
emoji-moon = moon
emoji-star = star
emoji-cloud = cloud
emoji-umbrella = umbrella
emoji-lightning = lightning
emoji-snowflake = snowflake
emoji-drop = drop
emoji-flame = flame
emoji-leaf = leaf
emoji-fir = fir
emoji-flower = flower
emoji-mushroom = mushroom
emoji-cactus = cactus
emoji-apple = apple
emoji-cherries = cherries
emoji-pear = pear
emoji-carrot = carrot
emoji-egg = egg
emoji-cheese = cheese
emoji-cup = cup
emoji-bottle = bottle
emoji-candle = candle
emoji-spoon = spoon
emoji-key = key
emoji-bell = bell
emoji-book = book
emoji-pencil = pencil
emoji-scissors = scissors
emoji-hammer = hammer
emoji-ladder = ladder
emoji-wheel = wheel
emoji-bicycle = bicycle
emoji-car = car
emoji-bus = bus
emoji-boat = boat
emoji-plane = plane
emoji-rocket = rocket
emoji-balloon = balloon
emoji-kite = kite
emoji-house = house
emoji-tent = tent
emoji-castle = castle
emoji-mountain = mountain
emoji-fish = fish
emoji-bird = bird
emoji-cat = cat
emoji-rabbit = rabbit
emoji-snail = snail
emoji-butterfly = butterfly
emoji-hat = hat
emoji-shirt = shirt
emoji-glasses = glasses
emoji-crown = crown
emoji-diamond = diamond
emoji-heart = heart
emoji-target = target
emoji-dice = dice
emoji-flag = flag
emoji-anchor = anchor
emoji-drum = drum
emoji-camera = camera
emoji-bulb = bulb
emoji-phone = phone

## Pictures to compare, and phrases to read aloud
pictures-title = Verification pictures
pictures-text = Everyone gets the same five pictures. They are quicker to compare than the words.
pictures-compare = Compare pictures
pictures-again = New pictures
pictures-waiting = Waiting for { $name }…
pictures-done = Each of you reads the five names aloud, in this order. If everyone sees the same pictures, nobody is intercepting the meeting.
pictures-done-with = These pictures are for { $name }. If you all see the same ones, nobody is intercepting your conversation.
pictures-outdated = Someone joined or left, or the keys were changed: the last pictures are no longer valid.
pictures-silent = No answer from { $name }. Try again. If it happens again, the server may be withholding messages.
pictures-wrong = The answer from { $name } was not valid, so there are no pictures. Compare the words instead.
pictures-keys-changed = The keys changed in the meantime. Try again.
pictures-too-many = More than { $count } people are here. Compare the words instead.
pictures-alone = There is nobody to compare pictures with yet.
pictures-too-soon = A comparison has just begun. Try again in a few seconds.
phrase-title = Spoken phrase
phrase-text = Ask someone to read five random words aloud, and watch and listen. An artificial voice or face may have difficulty doing so without a delay. This is not proof.
phrase-ask = Ask
phrase-ask-name = Ask { $name } for a phrase
phrase-asked = { $name } is being asked…
phrase-failed = No answer from { $name }, or the keys changed in the meantime. Try again.
phrase-listen = { $name } should begin to read these words aloud within ten seconds:
phrase-heard = Heard
phrase-not-heard = Not heard
phrase-read = { $name } asks you to read these words aloud now:
phrase-done = Done
phrase-was-heard = you heard the phrase
phrase-was-not-heard = you did not hear the phrase
notice-pictures-ready = { $name } is comparing pictures with everyone
    .advice = Open Security to see your five pictures.
notice-read-phrase = { $name } asks you to read a phrase aloud
    .advice = The words are in the Security panel.
