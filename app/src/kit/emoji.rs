//! The 64 pictures that people compare: drawings of our own, because the window ships no font with emoji, and those of systems
//! differ. Lines on a grid of 24 by 24 units, like the icons. A picture is always shown with its name.

/// The Fluent id of the name of each picture, and its drawing. The order is part of the protocol.
#[rustfmt::skip]
pub(super) const PICTURES: [(&str, &str); 64] = [
    ("emoji-sun", "<circle cx='12' cy='12' r='4'/><path d='M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4'/>"),
    ("emoji-moon", "<path d='M20.5 14.2A8.8 8.8 0 0 1 9.8 3.5a8.8 8.8 0 1 0 10.7 10.7z'/>"),
    ("emoji-star", "<path d='M12 3l2.7 5.8 6.3.8-4.6 4.4 1.2 6.3L12 17.2l-5.6 3.1L7.6 14 3 9.6l6.3-.8z'/>"),
    ("emoji-cloud", "<path d='M7 18.5a4 4 0 0 1-.4-8A5.5 5.5 0 0 1 17 9.2a4.7 4.7 0 0 1 .3 9.3z'/>"),
    ("emoji-umbrella", "<path d='M3 12.5a9 9 0 0 1 18 0zM12 12.5v6a2.3 2.3 0 0 0 4.6 0M12 3.5v-1'/>"),
    ("emoji-lightning", "<path d='M13.5 2.5L5 13.5h6l-1.5 8L19 10h-6.5z'/>"),
    ("emoji-snowflake", "<path d='M12 2.5v19M3.8 7.2l16.4 9.6M20.2 7.2L3.8 16.8M9.5 4.5L12 7l2.5-2.5M9.5 19.5L12 17l2.5 2.5'/>"),
    ("emoji-drop", "<path d='M12 3c4 5 6 8 6 11.2a6 6 0 0 1-12 0C6 11 8 8 12 3z'/>"),
    ("emoji-flame", "<path d='M12 21.5A6.5 6.5 0 0 1 5.5 15c0-4.5 4-6 4.5-12.5 4.5 2.5 8.5 7.5 8.5 12.5a6.5 6.5 0 0 1-6.5 6.5zM12 21.5a3 3 0 0 1-3-3c0-2 3-4 3-4s3 2 3 4a3 3 0 0 1-3 3z'/>"),
    ("emoji-leaf", "<path d='M5.5 18.5C3.5 10 9 4.5 20 4c.5 11-5 16.5-14.5 14.5zM4 21.5c2-6.5 5-9.5 9-11.5'/>"),
    ("emoji-fir", "<path d='M12 2.5l5.5 7h-3l4.5 6H5l4.5-6h-3zM12 15.5v6'/>"),
    ("emoji-flower", "<circle cx='12' cy='9' r='2'/><circle cx='12' cy='4.6' r='2.4'/><circle cx='16.4' cy='9' r='2.4'/><circle cx='12' cy='13.4' r='2.4'/><circle cx='7.6' cy='9' r='2.4'/><path d='M12 15.8v5.7'/>"),
    ("emoji-mushroom", "<path d='M3.5 12a8.5 8.5 0 0 1 17 0zM9.5 12v6.5a2.5 2.5 0 0 0 5 0V12'/>"),
    ("emoji-cactus", "<path d='M9.5 21.5v-16a2.5 2.5 0 0 1 5 0v16M9.5 15h-2A2.5 2.5 0 0 1 5 12.5v-3M14.5 12.5h2A2.5 2.5 0 0 0 19 10V7.5M6 21.5h12'/>"),
    ("emoji-apple", "<path d='M12 7.5c-2-2-8-1.5-8 5 0 4.5 3 8.5 5.5 8.5 1 0 1.5-.5 2.5-.5s1.5.5 2.5.5c2.5 0 5.5-4 5.5-8.5 0-6.5-6-7-8-5zM12 7.5c0-2 1-4 3-5'/>"),
    ("emoji-cherries", "<circle cx='7' cy='17' r='4'/><circle cx='17' cy='18' r='3.5'/><path d='M8 13.2C9 9 11 5.5 15 3c1.5 4 2 7.5 2 11.5'/>"),
    ("emoji-pear", "<path d='M12 6.5c-3 0-3 3-3.5 5-.5 1.8-3 3-3 6 0 2.7 3 4 6.5 4s6.5-1.3 6.5-4c0-3-2.5-4.2-3-6-.5-2-.5-5-3.5-5zM12 6.5c0-1.5.5-3 2-4'/>"),
    ("emoji-carrot", "<path d='M15.5 8.5c-2-2-5-1.5-7 .5L3 21l12-5.5c2-2 2.5-5 .5-7zM15.5 8.5l1-5.5M15.5 8.5l5.5-1M15.5 8.5l4.5-4.5'/>"),
    ("emoji-egg", "<path d='M12 2.5c4 0 7 6.5 7 11a7 7 0 0 1-14 0c0-4.5 3-11 7-11z'/>"),
    ("emoji-cheese", "<path d='M3 12L15 4.5c3.5.5 6 3.5 6 7.5zM3 12v7.5h18V12'/><circle cx='8' cy='16' r='1.3'/><circle cx='15' cy='15.5' r='1.6'/>"),
    ("emoji-cup", "<path d='M5 8h12v7a5 5 0 0 1-5 5h-2a5 5 0 0 1-5-5zM17 10h1.5a2.5 2.5 0 0 1 0 5H17M9 3v2M13 3v2'/>"),
    ("emoji-bottle", "<path d='M10 2.5h4V7c0 1.5 2.5 2 2.5 5v9.5h-9V12c0-3 2.5-3.5 2.5-5zM7.5 14h9'/>"),
    ("emoji-candle", "<path d='M9 21.5v-10h6v10zM12 11.5v-2M12 2.5c2 2 2.5 3.2 2.5 4.5a2.5 2.5 0 0 1-5 0c0-1.3.5-2.5 2.5-4.5z'/>"),
    ("emoji-spoon", "<ellipse cx='12' cy='6.5' rx='3.5' ry='4.2'/><path d='M12 10.7v10.8'/>"),
    ("emoji-key", "<circle cx='7.5' cy='16' r='4.5'/><path d='M10.7 12.8L20.5 3M16.5 7l3 3M13.5 10l2 2'/>"),
    ("emoji-bell", "<path d='M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7zM10 20.5a2.3 2.3 0 0 0 4 0'/>"),
    ("emoji-book", "<path d='M4 5.5A2.5 2.5 0 0 1 6.5 3H20v18H6.5A2.5 2.5 0 0 1 4 18.5zM4 18.5A2.5 2.5 0 0 1 6.5 16H20'/>"),
    ("emoji-pencil", "<path d='M4 20l1.2-5L16.5 3.7l3.8 3.8L9 18.8zM13.5 6.7l3.8 3.8'/>"),
    ("emoji-scissors", "<circle cx='6' cy='6.5' r='3'/><circle cx='6' cy='17.5' r='3'/><path d='M8.5 8.2L20.5 17M8.5 15.8L20.5 7'/>"),
    ("emoji-hammer", "<path d='M3.5 20.5l9.5-9.5M9.5 5.5L12 3h1.5l7.5 7.5-2.5 2.5zM9.5 5.5l9 7.5'/>"),
    ("emoji-ladder", "<path d='M8 2.5v19M16 2.5v19M8 6.5h8M8 11h8M8 15.5h8'/>"),
    ("emoji-wheel", "<circle cx='12' cy='12' r='9'/><circle cx='12' cy='12' r='2.5'/><path d='M12 3v6.5M12 14.5V21M3 12h6.5M14.5 12H21'/>"),
    ("emoji-bicycle", "<circle cx='5.5' cy='16' r='4'/><circle cx='18.5' cy='16' r='4'/><path d='M5.5 16l4-8h6l3 8M9.5 8l3 8h-7M12.5 16l3-8L14.5 5H17'/>"),
    ("emoji-car", "<path d='M5.5 17H3v-4.5L5.5 11 8 6.5h8l2.5 4.5 2.5 1.5V17h-2.5M9.5 17h5M5.5 11h13'/><circle cx='7.5' cy='17' r='2'/><circle cx='16.5' cy='17' r='2'/>"),
    ("emoji-bus", "<rect x='3.5' y='4' width='17' height='14' rx='2'/><path d='M3.5 11.5h17M12 4v7.5M7 18v2.5M17 18v2.5M7 15v.1M17 15v.1'/>"),
    ("emoji-boat", "<path d='M3 16.5h18L18 21H6zM11 3v13.5M11 3L4.5 13.5H11M14 6.5c2.5 2 4 4.5 4.5 7H14z'/>"),
    ("emoji-plane", "<path d='M10.3 13.7L3 11l1.5-1.5 8 .5 5-5.5c1-1 3-1.5 3.5-1s0 2.5-1 3.5L14.5 12l.5 8-1.5 1.5z'/>"),
    ("emoji-rocket", "<path d='M12 2.5c4 3 5 8 4 13H8c-1-5 0-10 4-13zM7.7 11L4.5 15v4l3.8-3M16.3 11l3.2 4v4l-3.8-3M10.5 18.5V21M13.5 18.5V21'/><circle cx='12' cy='9' r='1.5'/>"),
    ("emoji-balloon", "<path d='M12 2.5A6.5 6.5 0 0 1 18.5 9c0 4-3.5 7.5-6.5 7.5S5.5 13 5.5 9A6.5 6.5 0 0 1 12 2.5zM12 16.5V18c0 1.5 2 2 1 3.5'/>"),
    ("emoji-kite", "<path d='M12 2.5l6 8-6 8-6-8zM12 2.5v16M6 10.5h12M12 18.5c1 1 0 2 1.5 3'/>"),
    ("emoji-house", "<path d='M3 11.5l9-8 9 8M5.5 9.5v11h13v-11M10 20.5v-6h4v6'/>"),
    ("emoji-tent", "<path d='M12 4L2.5 20.5h19zM12 11l-4 9.5M12 11l4 9.5'/>"),
    ("emoji-castle", "<path d='M4 21V4.5h3V7h3V4.5h4V7h3V4.5h3V21zM10 21v-4.5a2 2 0 0 1 4 0V21'/>"),
    ("emoji-mountain", "<path d='M2 20L9 6.5l4 7.5 2.5-4L22 20zM7 10.5l2 1.5 2-1.5'/>"),
    ("emoji-fish", "<path d='M3 12c3-5 9-6 13-1.5L20.5 7v10L16 13.5C12 18 6 17 3 12zM7.5 11v.1'/>"),
    ("emoji-bird", "<path d='M3 9.5c3-4 8-3 9 1 3.5 0 7-1 9-3-1 7-5 10.5-10 10.5-4 0-6.5-3-6.5-6zM7.5 9v.1M9 18v3M12.5 18v3'/>"),
    ("emoji-cat", "<path d='M5 4l4 3.5h6L19 4v9a7 7 0 0 1-14 0zM9 12v.1M15 12v.1M10.5 15.5h3L12 17z'/>"),
    ("emoji-rabbit", "<circle cx='12' cy='16' r='5.5'/><path d='M9.5 11C7 7.5 7 3.5 8.5 3s3 3.5 3 7.5M14.5 11C17 7.5 17 3.5 15.5 3s-3 3.5-3 7.5M10 15v.1M14 15v.1M12 17.5v.1'/>"),
    ("emoji-snail", "<circle cx='10' cy='12.5' r='6'/><path d='M10 12.5a2.2 2.2 0 1 1 2.5 2.5M2.5 18.5h14c3 0 4-3 3-7L21 7M19.5 11.5l-2-4'/>"),
    ("emoji-butterfly", "<path d='M12 8c-2-4-8-5-8.5-1s2 5.5 4.5 5.5c-2.5.5-3.5 6-.5 6.5s4.5-4 4.5-7M12 8c2-4 8-5 8.5-1s-2 5.5-4.5 5.5c2.5.5 3.5 6 .5 6.5s-4.5-4-4.5-7M12 7v12'/>"),
    ("emoji-hat", "<path d='M2.5 17.5h19M6.5 17.5V6h11v11.5M6.5 13.5h11'/>"),
    ("emoji-shirt", "<path d='M8.5 3.5L3 7l2 4.5 2-1v10h10v-10l2 1L21 7l-5.5-3.5a3.5 3.5 0 0 1-7 0z'/>"),
    ("emoji-glasses", "<circle cx='6.5' cy='13.5' r='4'/><circle cx='17.5' cy='13.5' r='4'/><path d='M10.5 13.5a1.5 1.5 0 0 1 3 0M2.5 13L5 6M21.5 13L19 6'/>"),
    ("emoji-crown", "<path d='M4 18.5l-1.5-11 5.5 4 4-7 4 7 5.5-4-1.5 11zM4 21.5h16'/>"),
    ("emoji-diamond", "<path d='M7 4h10l4.5 6L12 21 2.5 10zM2.5 10h19M9 10l3 11M15 10l-3 11M9 10l1.5-6M15 10l-1.5-6'/>"),
    ("emoji-heart", "<path d='M12 20C5 15.5 3 12 3 8.8A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 9 1.8C21 12 19 15.5 12 20z'/>"),
    ("emoji-target", "<circle cx='12' cy='12' r='9'/><circle cx='12' cy='12' r='5'/><circle cx='12' cy='12' r='1'/>"),
    ("emoji-dice", "<rect x='3.5' y='3.5' width='17' height='17' rx='3'/><circle cx='8' cy='8' r='.8'/><circle cx='16' cy='8' r='.8'/><circle cx='12' cy='12' r='.8'/><circle cx='8' cy='16' r='.8'/><circle cx='16' cy='16' r='.8'/>"),
    ("emoji-flag", "<path d='M5 21.5V3M5 4c4-2 7 2 14 0v10c-7 2-10-2-14 0'/>"),
    ("emoji-anchor", "<circle cx='12' cy='5' r='2.5'/><path d='M12 7.5V21M8 11h8M4 13.5c0 4.5 3.5 7.5 8 7.5s8-3 8-7.5l-2.5 2M4 13.5l2.5 2'/>"),
    ("emoji-drum", "<ellipse cx='12' cy='11' rx='8.5' ry='3.5'/><path d='M3.5 11v6c0 2 4 3.5 8.5 3.5s8.5-1.5 8.5-3.5v-6M7 3l4 7M18.5 3L13 10'/>"),
    ("emoji-camera", "<path d='M3 7.5h4l1.5-3h7l1.5 3h4v12H3z'/><circle cx='12' cy='13' r='3.5'/>"),
    ("emoji-bulb", "<path d='M9 17.5c0-3-3.5-4-3.5-8.5a6.5 6.5 0 0 1 13 0c0 4.5-3.5 5.5-3.5 8.5zM9.5 20.5h5'/>"),
    ("emoji-phone", "<path d='M6.5 3h3L11 8 9 9.5c1 2.5 3 4.5 5.5 5.5l1.5-2 5 1.5v3c0 2-2 3.5-4 3.5C10 20.5 3.5 14 3 7c0-2 1.5-4 3.5-4z'/>"),
];

/// Returns the Fluent id of the name of a picture.
pub fn emoji_name(number: u8) -> &'static str {
    PICTURES[usize::from(number) % PICTURES.len()].0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use std::collections::BTreeSet;

    #[test]
    fn each_picture_has_its_own_drawing_and_name_in_each_language() {
        assert_eq!(PICTURES.iter().map(|(_, drawing)| drawing).collect::<BTreeSet<_>>().len(), 64);
        for language in Language::ALL {
            let names: BTreeSet<_> = (0..64).map(|number| language.text(emoji_name(number))).collect();
            assert_eq!(names.len(), 64, "{language:?}");
            assert!(names.iter().all(|name| !name.contains("emoji-")), "{names:?}");
        }
    }
}
