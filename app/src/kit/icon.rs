//! The icons: lines on a grid of 24 by 24 units, in the colour of the surrounding text.

use iced::advanced::svg::{Handle, Renderer as _, Svg};
use iced::advanced::widget::Tree;
use iced::advanced::{Layout, Widget, layout, mouse, renderer};
use iced::{Length, Rectangle, Renderer, Size};

use crate::kit::{Element, emoji};
use crate::theme::{ICON, Theme, Tone};

/// The icons. Each is shown together with a word, an accessible name or a tooltip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    /// The microphone is on.
    Microphone,
    /// The microphone is muted, or there is none.
    MicrophoneOff,
    /// The camera is on.
    Camera,
    /// The camera is off, or there is none.
    CameraOff,
    /// Share the screen.
    Share,
    /// Stop sharing the screen.
    ShareOff,
    /// The participants.
    People,
    /// Remove a participant.
    Remove,
    /// An invitation link.
    Link,
    /// Leave the meeting.
    Leave,
    /// End-to-end encrypted.
    Lock,
    /// End-to-end encrypted, and the words were compared.
    LockVerified,
    /// End-to-end encrypted, but the words must be compared again.
    LockAttention,
    /// The keys are not agreed yet.
    LockOpen,
    /// Language.
    Language,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// High contrast.
    Contrast,
    /// The theme of the system.
    System,
    /// Something went wrong.
    Warning,
    /// Information.
    Info,
    /// Done.
    Check,
    /// Close.
    Close,
    /// Back.
    Back,
    /// Opens a menu.
    Down,
    /// Hide what is below.
    Up,
    /// A new meeting.
    Start,
    /// A time.
    Clock,
    /// Notifications.
    Bell,
    /// Full screen.
    FullScreen,
    /// Keyboard shortcuts.
    Keyboard,
    /// Statistics.
    Statistics,
    /// Save to a file.
    Save,
    /// How much of the network may be used.
    Bandwidth,
    /// The chat.
    Chat,
    /// Sends a text.
    Send,
    /// Searches.
    Search,
    /// More actions.
    More,
    /// Replies.
    Reply,
    /// A thumb up.
    Like,
    /// A heart.
    Heart,
    /// A face that laughs.
    Laugh,
    /// A face that is surprised.
    Surprised,
    /// Applause.
    Celebrate,
    /// A raised hand.
    Hand,
    /// Stop everything.
    Stop,
    /// A vote.
    Vote,
    /// Verified by an organisation.
    Verified,
    /// Seen for the first time.
    New,
    /// One of the 64 pictures that people compare.
    Emoji(u8),
}

impl Icon {
    #[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "a table of drawings; two of them are the same")]
    const fn paths(self) -> &'static str {
        match self {
            Self::Microphone => {
                "<rect x='9' y='3' width='6' height='11' rx='3'/><path d='M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3'/>"
            }
            Self::MicrophoneOff => {
                "<path d='M15 9.5V6a3 3 0 0 0-5.8-1.1M9 9.3V11a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5a6.5 6.5 0 0 1-.7 2.9M12 18v3M3.5 3.5l17 17'/>"
            }
            Self::Camera => {
                "<rect x='2.5' y='6' width='13' height='12' rx='2.5'/><path d='M15.5 10.6l4.6-2.7a.6.6 0 0 1 .9.5v7.2a.6.6 0 0 1-.9.5l-4.6-2.7'/>"
            }
            Self::CameraOff => {
                "<path d='M9.6 6H13a2.5 2.5 0 0 1 2.5 2.5v2.1l4.6-2.7a.6.6 0 0 1 .9.5v7.2a.6.6 0 0 1-.9.5M15.3 16.5A2.5 2.5 0 0 1 13 18H5a2.5 2.5 0 0 1-2.5-2.5v-7A2.5 2.5 0 0 1 4.6 6M3.5 3.5l17 17'/>"
            }
            Self::More => {
                "<circle cx='5.5' cy='12' r='1.2'/><circle cx='12' cy='12' r='1.2'/><circle cx='18.5' cy='12' r='1.2'/>"
            }
            Self::Hand => {
                "<path d='M8 13V6.2a1.6 1.6 0 0 1 3.2 0V11M11.2 10.5V4.6a1.6 1.6 0 0 1 3.2 0V11M14.4 11V6.2a1.6 1.6 0 0 1 3.2 0v8.3a6.5 6.5 0 0 1-6.5 6.5c-2.4 0-4-1-5.3-3l-2.6-4.3a1.6 1.6 0 0 1 2.6-1.8L8 14.5'/>"
            }
            Self::Stop => {
                "<path d='M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z'/><rect x='9' y='9' width='6' height='6' rx='1'/>"
            }
            Self::Bandwidth => "<path d='M8 20V4.5M4.5 8L8 4.5 11.5 8M16 4v15.5M12.5 16L16 19.5l3.5-3.5'/>",
            Self::Share => {
                "<rect x='2.5' y='4' width='19' height='13' rx='2.5'/><path d='M8.5 21h7M12 13.5v-6M9.3 9.9L12 7.2l2.7 2.7'/>"
            }
            Self::ShareOff => {
                "<rect x='2.5' y='4' width='19' height='13' rx='2.5'/><path d='M8.5 21h7M9.6 8.1l4.8 4.8M14.4 8.1l-4.8 4.8'/>"
            }
            Self::People => {
                "<circle cx='9' cy='8' r='3.5'/><path d='M2.5 20v-1.2A4.8 4.8 0 0 1 7.3 14h3.4a4.8 4.8 0 0 1 4.8 4.8V20M15.5 4.7a3.5 3.5 0 0 1 0 6.6M18 14.4a4.8 4.8 0 0 1 3.5 4.6V20'/>"
            }
            Self::Remove => {
                "<circle cx='10' cy='8' r='4'/><path d='M2.5 20.5v-.7a5.3 5.3 0 0 1 5.3-5.3h4.4c1 0 2 .3 2.8.8M16.5 17l4.5 4.5M21 17l-4.5 4.5'/>"
            }
            Self::Link => {
                "<path d='M10 14a4.2 4.2 0 0 0 6.2.3l3-3a4.2 4.2 0 0 0-6-6l-1.4 1.4M14 10a4.2 4.2 0 0 0-6.2-.3l-3 3a4.2 4.2 0 0 0 6 6l1.4-1.4'/>"
            }
            Self::Leave => {
                "<path d='M14 4h3.5A2.5 2.5 0 0 1 20 6.5v11a2.5 2.5 0 0 1-2.5 2.5H14M9 16l-4-4 4-4M5 12h10'/>"
            }
            Self::Lock => {
                "<rect x='4.5' y='10.5' width='15' height='10' rx='2.5'/><path d='M8 10.5V7.5a4 4 0 0 1 8 0v3'/>"
            }
            Self::LockVerified => {
                "<rect x='4.5' y='10.5' width='15' height='10' rx='2.5'/><path d='M8 10.5V7.5a4 4 0 0 1 8 0v3M9.2 15.6l2 2 3.6-3.8'/>"
            }
            Self::LockAttention => "<path d='M12 3.2L21.4 20H2.6zM12 10v4.5M12 17.3v.1'/>",
            Self::LockOpen => {
                "<rect x='4.5' y='10.5' width='15' height='10' rx='2.5'/><path d='M8 10.5V7.5a4 4 0 0 1 7.4-2.1'/>"
            }
            Self::Language => {
                "<circle cx='12' cy='12' r='9'/><path d='M3 12h18M12 3c2.6 2.5 3.9 5.5 3.9 9s-1.3 6.5-3.9 9c-2.6-2.5-3.9-5.5-3.9-9s1.3-6.5 3.9-9z'/>"
            }
            Self::Sun => {
                "<circle cx='12' cy='12' r='4'/><path d='M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4'/>"
            }
            Self::Moon => "<path d='M20.5 14.2A8.8 8.8 0 0 1 9.8 3.5a8.8 8.8 0 1 0 10.7 10.7z'/>",
            Self::Contrast => "<circle cx='12' cy='12' r='9'/><path d='M12 3a9 9 0 0 1 0 18z' fill='#000'/>",
            Self::System => "<rect x='3' y='4' width='18' height='12.5' rx='2.5'/><path d='M8.5 20.5h7M12 16.5v4'/>",
            Self::Warning => "<path d='M12 3.2L21.4 20H2.6zM12 10v4.5M12 17.3v.1'/>",
            Self::Info => "<circle cx='12' cy='12' r='9'/><path d='M12 11v5.5M12 7.6v.1'/>",
            Self::Check => "<path d='M4.5 12.5l5 5 10-11'/>",
            Self::Close => "<path d='M5.5 5.5l13 13M18.5 5.5l-13 13'/>",
            Self::Back => "<path d='M19.5 12h-15M10.5 6l-6 6 6 6'/>",
            Self::Down => "<path d='M6 9.5l6 6 6-6'/>",
            Self::Up => "<path d='M6 14.5l6-6 6 6'/>",
            Self::Start => {
                "<rect x='2.5' y='6' width='13' height='12' rx='2.5'/><path d='M15.5 10.6l4.6-2.7a.6.6 0 0 1 .9.5v7.2a.6.6 0 0 1-.9.5l-4.6-2.7M9 9.5v5M6.5 12h5'/>"
            }
            Self::Clock => "<circle cx='12' cy='12' r='9'/><path d='M12 7v5.3l3.5 2'/>",
            Self::Bell => "<path d='M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7zM10 20.5a2.3 2.3 0 0 0 4 0'/>",
            Self::Keyboard => {
                "<rect x='2.5' y='6' width='19' height='12' rx='2.5'/><path d='M6.5 10v.1M10.2 10v.1M13.8 10v.1M17.5 10v.1M8 14h8'/>"
            }
            Self::Statistics => "<path d='M3.5 20.5h17M6.5 17v-4M12 17V7M17.5 17v-7'/>",
            Self::Save => {
                "<path d='M12 3.5v11M7.5 10.5l4.5 4.5 4.5-4.5M4 16.5V18a2.5 2.5 0 0 0 2.5 2.5h11A2.5 2.5 0 0 0 20 18v-1.5'/>"
            }
            Self::Chat => {
                "<path d='M6 4h12a2.5 2.5 0 0 1 2.5 2.5v8A2.5 2.5 0 0 1 18 17h-6.5L7 20.5V17H6a2.5 2.5 0 0 1-2.5-2.5v-8A2.5 2.5 0 0 1 6 4zM8 9h8M8 12.5h5'/>"
            }
            Self::Send => "<path d='M4 4.5l16.5 7.5L4 19.5l2.5-7.5zM6.5 12h7'/>",
            Self::Search => "<circle cx='10.5' cy='10.5' r='6.5'/><path d='M15.5 15.5l5 5'/>",
            Self::Reply => "<path d='M9.5 5.5L4 11l5.5 5.5M4 11h10a6 6 0 0 1 6 6v1.5'/>",
            Self::Like => {
                "<path d='M3.5 11h3.5v9H3.5zM7 11l4-7.5a2.2 2.2 0 0 1 2.2 2.2V9h5a2 2 0 0 1 2 2.3l-1.2 7a2 2 0 0 1-2 1.7H7'/>"
            }
            Self::Heart => {
                "<path d='M12 20C5 15.5 3 12 3 8.8A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 9 1.8C21 12 19 15.5 12 20z'/>"
            }
            Self::Laugh => {
                "<circle cx='12' cy='12' r='9'/><path d='M7.5 13.5a4.6 4.6 0 0 0 9 0zM8 9.5l1-1 1 1M14 9.5l1-1 1 1'/>"
            }
            Self::Surprised => {
                "<circle cx='12' cy='12' r='9'/><circle cx='12' cy='15.5' r='2'/><path d='M9 9.5v.1M15 9.5v.1'/>"
            }
            Self::Celebrate => {
                "<path d='M4 20l4.5-11 6.5 6.5zM14 8c0-2 1-3.5 3-4M16 10.5c1.5-1.5 3-1.5 4.5-.5M12 6V4M19 14.5v1.5M19.5 6.5v.1'/>"
            }
            Self::Vote => "<path d='M3.5 7l2 2 3.5-4M3.5 17l2 2 3.5-4M12.5 7h8M12.5 17h8'/>",
            Self::Verified => {
                "<path d='M12 2.8l7.5 2.7v6c0 4.6-3 8-7.5 9.7-4.5-1.7-7.5-5.1-7.5-9.7v-6zM8.4 12l2.6 2.6 4.8-5'/>"
            }
            Self::New => "<circle cx='12' cy='12' r='9'/><path d='M12 8v8M8 12h8'/>",
            Self::Emoji(number) => emoji::PICTURES[number as usize % emoji::PICTURES.len()].1,
            Self::FullScreen => {
                "<path d='M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15'/>"
            }
        }
    }

    /// The drawing as an SVG file.
    pub fn handle(self) -> Handle {
        let head = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#000' \
                    stroke-width='1.75' stroke-linecap='round' stroke-linejoin='round'>";
        Handle::from_memory(format!("{head}{}</svg>", self.paths()).into_bytes())
    }
}

/// A widget that shows an icon in the colour of the surrounding text.
pub fn icon(icon: Icon) -> IconWidget {
    IconWidget { icon, size: ICON, tone: None }
}

/// An icon with its size and colour.
#[derive(Clone, Copy, Debug)]
pub struct IconWidget {
    icon: Icon,
    size: f32,
    tone: Option<Tone>,
}

impl IconWidget {
    /// Sets the side, in logical pixels. The default is [`ICON`].
    #[must_use]
    pub fn size(self, size: f32) -> Self {
        Self { size, ..self }
    }

    /// Sets the colour. The default is that of the surrounding text.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        Self { tone: Some(tone), ..self }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for IconWidget {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(self.size), Length::Fixed(self.size))
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, self.size, self.size)
    }

    fn draw(
        &self,
        _tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        let colour = self.tone.map_or(style.text_color, |tone| tone.colour(theme));
        // iced's software renderer ignores the alpha of the colour, so it is passed as an opacity.
        let svg = Svg::new(self.icon.handle()).color(iced::Color { a: 1.0, ..colour }).opacity(colour.a);
        renderer.draw_svg(svg, layout.bounds(), layout.bounds());
    }
}

impl<'a, Message: 'a> From<IconWidget> for Element<'a, Message> {
    fn from(icon: IconWidget) -> Self {
        Element::new(icon)
    }
}
