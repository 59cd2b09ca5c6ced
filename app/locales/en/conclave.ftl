### What the client says, in English: plain, sentence case, no exclamation.

app-name = Conclave
language-name = English
menu-language = Language
menu-theme = Appearance
menu-preferences = Language and appearance
theme-system = As the system
theme-dark = Dark
theme-light = Light
theme-contrast = High contrast
action-back = Back
action-cancel = Cancel
action-close = Close
action-dismiss = Dismiss

## Home
home-title = Meetings that only the people in the room can read
home-lead = Sound, pictures and names are sealed on this device. The server that carries them cannot open them.
home-start-title = Start a meeting
home-start-text = You get a link to send to the others.
home-start = Start a meeting
home-join-title = Join with a link
home-join-text = Paste the link that you were sent.
home-link = Meeting link
home-link-placeholder = conclave://…
home-join = Join
home-recent = Recent meetings
home-recent-empty = Meetings that you enter appear here.
home-recent-join = Join
home-recent-join-name = Join { $title } again
home-recent-forget = Forget { $title }
home-recent-title = Meeting on { $host }
home-navigation = Conclave

link-not-a-link = This is not a meeting link. A link begins with conclave:// and is copied whole from the invitation.
link-truncated = This link is cut off at the end. Copy it whole, or ask for it again.
link-version = This link was made by another version of Conclave. Update Conclave, or ask whoever sent the link to do so.
link-host = The link does not say which server to ask. Ask for it again.
link-damaged = This link was changed on its way. Ask for it again.

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
preview-picture = Your picture
preview-camera-off = Your camera is off
preview-camera-none = No camera was found
preview-camera-wait = Opening the camera…
preview-microphone-none = No microphone was found
    .advice = Connect one, or go on without: you hear the others, they do not hear you.
preview-again = Look again
preview-again-camera = Look for a camera again
preview-again-microphone = Look for a microphone again
preview-name = Your name
preview-name-placeholder = As the others will see it
preview-name-empty = Enter a name, so that the others know who asks to enter.
preview-name-long = A name has at most 64 characters.
preview-camera = Camera
preview-microphone = Microphone
preview-speaker = Speaker
preview-level = Microphone level
preview-sealed = Your name travels sealed: only the people inside see it.
preview-start = Start
preview-join = Ask to enter
device-off = Off
device-default = System default
device-synthetic = Test pattern
device-file = File: { $name }

## Entering
enter-connecting = Looking for the server…
enter-approaching = The server answered. Asking for the meeting…
enter-knocking = You asked to enter. Waiting for somebody inside to let you in.
enter-text = Nobody sees or hears you yet.
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
meeting-alone = You are the only one here. Send the link to the people you want to meet.
meeting-copy-link = Copy link
meeting-mute-name = Mute microphone
meeting-mute-on = Mute
meeting-mute-off = Muted
meeting-mute-none = No microphone
meeting-camera-name = Camera
meeting-camera-on = Camera
meeting-camera-off = Camera off
meeting-camera-none = No camera
meeting-share = Share screen
meeting-share-stop = Stop sharing
meeting-people = People
meeting-leave = Leave
meeting-leave-name = Leave the meeting
meeting-choose-microphone = Choose microphone and speaker
meeting-choose-camera = Choose camera
meeting-full-screen = Full screen
meeting-notices = Notices
meeting-notices-empty = Nothing has been reported.
meeting-sharing-you = You are sharing your screen
meeting-sharing-seen = { $count ->
    [0] Nobody else is here to see it.
    [one] One person sees it.
   *[other] { $count } people see it.
}
meeting-talk = Talking while you hold the space bar

tile-you = { $name }, you
tile-organiser = organiser
tile-muted = muted
tile-no-microphone = no microphone
tile-speaking = speaking
tile-camera-on = camera on
tile-camera-off = camera off
tile-sharing = sharing the screen
tile-screen = Screen of { $name }

## People
people-title = People
people-organiser = Organiser
people-remove = Remove { $name }
people-remove-title = Remove { $name }?
people-remove-text = { $name } leaves at once and can no longer hear or see anything. The keys change for everybody else.
people-remove-confirm = Remove
people-device = Device { $key }
people-invite = Copy invitation link
people-invite-text = Whoever has the link can ask to enter.
people-invite-unattended = The organiser has left: nobody new can enter.

## Lock
lock-open = Not closed yet
lock-closed = Closed
lock-verified = Closed and verified
lock-attention = Compare again
lock-button = Security: { $state }
lock-title = Is it really closed?
lock-closed-text = Only the { $count ->
    [one] person
   *[other] { $count } people
} in the list hold the keys.
lock-open-text = The keys are being agreed. Nothing is sent before that.
lock-verified-text = You compared the words with the others: nobody sits in between.
lock-attention-text = Somebody came or went since you compared. The keys are new, and so are the words.
lock-words = Verification words
lock-words-text = Read them aloud. If the others see the same words, nobody listens in between.
lock-confirm = The words are the same
lock-confirmed = Words compared
lock-epoch = Keys changed { $count ->
    [one] { $count } time
   *[other] { $count } times
}
lock-suite = Cipher suite { $suite }
lock-passing = This device’s key is not kept when Conclave closes: the next time, the others see it as a new device.

## Announcements to assistive tools
said-joined = { $name } joined
said-left = { $name } left
said-joined-many = { $count } people joined
said-left-many = { $count } people left
said-muted = You are muted
said-unmuted = You are no longer muted

## Notices: what, whose fault, what to do
notice-region = Notices
notice-details = Details: { $detail }
fault-here = This computer
fault-network = The network
fault-server = The server
fault-link = The invitation
fault-peer = Another participant
notice-no-camera = No camera was found
    .advice = Connect one, or go on without a picture: the others see your initials.
notice-camera-taken = Another program is using the camera
    .advice = Close that program, then turn the camera on again.
notice-camera-lost = The camera stopped
    .advice = It was unplugged or failed. Connect it again, or choose another one.
notice-camera-failed = The camera cannot be opened
    .advice = Allow this program to use it in the system’s privacy settings, or choose another camera.
notice-no-sound = There is no sound device
    .advice = You cannot hear or be heard. Connect a headset, then choose it beside the microphone button.
notice-no-microphone = The microphone could not be opened
    .advice = You hear the others, they do not hear you. Choose another microphone.
notice-no-speaker = The speaker could not be opened
    .advice = The others hear you, you do not hear them. Choose another speaker.
notice-sound-lost = A sound device was unplugged
    .advice = Connect it again, or choose another one beside the microphone button.
notice-bad-file = A media file cannot be read
    .advice = It is missing, damaged, or of a kind that Conclave does not know. Choose another file.
notice-file-format = Conclave does not play this kind of file
    .advice = It plays MP4 with H.264 (8 bit, 4:2:0, progressive) and Y4M. Convert the file with: ffmpeg -i FILE -vf yadif=deint=interlaced -c:v libx264 -pix_fmt yuv420p NEW.mp4
notice-no-screen = The screen cannot be shared
    .advice = The system did not allow it. Check the permissions of this session.
notice-still-waiting = Nobody has answered yet
    .advice = Your request is with the people inside. Wait, or ask them by another way.
notice-nobody-admits = Nobody inside can let you in
    .advice = The organiser has left. Ask the organiser to come back.
notice-organiser-left = The organiser has left the meeting
    .advice = You can go on talking. Nobody new can enter.
notice-overloaded = This computer is too slow for what it sends
    .advice = Your picture is sent smaller. Close other programs to improve it.
notice-peer-unreadable = A participant’s picture cannot be shown
    .advice = What arrives cannot be opened. If it lasts, that person should leave and come back.
notice-refused = That did not work
    .advice = The meeting was busy. Try again in a moment.
notice-no-gpu = Pictures are drawn without the graphics card
    .advice = No usable graphics driver was found. Large meetings will be slower.
notice-no-keychain = This device’s key cannot be kept
    .advice = The system’s keychain does not answer. The meeting is as closed as ever, but the next time the others see this device as a new one.
notice-link-copied = Link copied
    .advice = Send it only to the people you want to meet: it lets them ask to enter.

## Why a meeting is over
ended-title = The meeting is over for you
ended-outside = You are not in the meeting
ended-home = Back to start
ended-again = Try again
ended-left = You left the meeting
    .advice = The others go on.
ended-removed = You were removed by the organiser
    .advice = You can no longer hear or see the meeting. Ask the organiser if this was a mistake.
ended-refused = You were not let in
    .advice = Somebody inside said no. Ask the organiser by another way.
ended-unattended = Nobody could let you in
    .advice = The organiser has left. Ask the organiser to come back, then try again.
ended-no-meeting = This meeting does not exist any more
    .advice = It has ended, or the link is wrong. Ask for a new link.
ended-unreachable = The server does not answer
    .advice = Check your network. If it works, the server may be down, or this network may block it.
ended-certificate = The server is not the one that the link names
    .advice = Somebody may be in between, or the server was set up anew. Do not go on; ask for a new link.
ended-version = The server speaks another version
    .advice = Update Conclave, or ask who runs the server to update it.
ended-server-silent = The server stopped answering
    .advice = It may come back in a moment. Try again.
ended-full = The meeting is full
    .advice = Try again when somebody has left, or ask who runs the server for more room.
ended-draining = The server is being stopped
    .advice = Whoever runs it is probably updating it. Try again in a few minutes.
ended-server = The server made a mistake
    .advice = The connection was closed to be safe. Try again; if it lasts, tell who runs the server.
ended-forged = The keys are not the ones that the link names
    .advice = Somebody may be in between. Nothing was sent. Ask for a new link by another way.
ended-here = Something failed on this computer
    .advice = Try again. If it lasts, restart Conclave.

## Command line
window-closed = The window cannot be opened
    .advice = Start Conclave in a graphical session, or go without a window: conclave meet --headless, conclave join LINK --headless.
