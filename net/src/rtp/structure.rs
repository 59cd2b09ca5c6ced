//! The template dependency structure: what each template id of a stream stands for (AV1 RTP specification, appendix A).

use super::bits;
use media::Size;

/// How a frame matters to one decode target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// The frame is no part of it.
    NotPresent,
    /// No later frame of it builds on this one.
    Discardable,
    /// A receiver may begin here with this target.
    Switch,
    /// Later frames of it build on this one.
    Required,
}

/// What frames of one kind have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Spatial layer within this stream.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// One for each decode target.
    pub indications: Vec<Indication>,
    /// How many frames back lie those that this one builds on.
    pub references: Vec<u16>,
    /// For each chain, how many frames back its last frame lies.
    pub chains: Vec<u8>,
}

/// The templates of one stream. Comes with a key frame and holds until the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The template id of the first template.
    pub offset: u8,
    /// Decode targets, 1..=32.
    pub targets: u8,
    /// For each decode target, the chain that protects it; empty where there are no chains.
    pub protected_by: Vec<u8>,
    /// The templates, at most 64.
    pub templates: Vec<Template>,
    /// The picture's size on each spatial layer; empty where it is not told.
    pub sizes: Vec<Size>,
}

impl Structure {
    /// One spatial layer with three temporal ones, as the `L1T3` of the specification, without sizes.
    pub fn l1t3(offset: u8) -> Self {
        use Indication::{Discardable as D, NotPresent as N, Switch as S};
        let templates = vec![
            template(0, [S, S, S], &[], 0),
            template(0, [S, S, S], &[4], 4),
            template(1, [N, D, S], &[2], 2),
            template(2, [N, N, D], &[1], 1),
            template(2, [N, N, D], &[1], 3),
        ];
        Self { offset, targets: 3, protected_by: vec![0; 3], templates, sizes: Vec::new() }
    }

    /// One layer of each kind, as the `L1T1` of the specification, without sizes.
    pub fn l1t1(offset: u8) -> Self {
        let templates = vec![template(0, [Indication::Switch], &[], 0), template(0, [Indication::Switch], &[1], 1)];
        Self { offset, targets: 1, protected_by: vec![0], templates, sizes: Vec::new() }
    }

    /// The template that `id` means here.
    pub fn template(&self, id: u8) -> Option<&Template> {
        self.templates.get(usize::from((id.wrapping_add(64).wrapping_sub(self.offset)) % 64))
    }

    /// Reads `template_dependency_structure()`; `None` where the bytes end early or contradict themselves.
    pub fn read(from: &mut bits::Reader<'_>) -> Option<Self> {
        let offset = from.byte(6)?;
        let targets = from.byte(5)? + 1;
        let mut templates = read_layers(from)?;
        for template in &mut templates {
            template.indications = (0..targets).map(|_| read_indication(from)).collect::<Option<_>>()?;
        }
        for template in &mut templates {
            template.references = read_references(from)?;
        }
        let protected_by = read_chains(from, targets, &mut templates)?;
        let layers = templates.last().map_or(0, |template| template.spatial) + 1;
        let sizes = if from.flag()? { read_sizes(from, layers)? } else { Vec::new() };
        Some(Self { offset, targets, protected_by, templates, sizes })
    }

    /// Writes `template_dependency_structure()`.
    pub fn write(&self, to: &mut bits::Writer) {
        to.bits(u32::from(self.offset), 6);
        to.bits(u32::from(self.targets) - 1, 5);
        for (index, template) in self.templates.iter().enumerate() {
            let next = self.templates.get(index + 1);
            to.bits(next_layer(template, next), 2);
        }
        for indication in self.templates.iter().flat_map(|template| &template.indications) {
            to.bits(*indication as u32, 2);
        }
        for template in &self.templates {
            for reference in &template.references {
                to.flag(true);
                to.bits(u32::from(*reference) - 1, 4);
            }
            to.flag(false);
        }
        self.write_chains(to);
        to.flag(!self.sizes.is_empty());
        for size in &self.sizes {
            to.bits(u32::from(size.width).saturating_sub(1), 16);
            to.bits(u32::from(size.height).saturating_sub(1), 16);
        }
    }

    /// Chains of this structure.
    pub fn chains(&self) -> u8 {
        self.protected_by.iter().max().map_or(0, |most| most + 1)
    }

    fn write_chains(&self, to: &mut bits::Writer) {
        let chains = u32::from(self.chains());
        to.below(chains, u32::from(self.targets) + 1);
        if chains == 0 {
            return;
        }
        for chain in &self.protected_by {
            to.below(u32::from(*chain), chains);
        }
        for difference in self.templates.iter().flat_map(|template| &template.chains) {
            to.bits(u32::from(*difference), 4);
        }
    }
}

fn template<const N: usize>(temporal: u8, indications: [Indication; N], references: &[u16], chain: u8) -> Template {
    Template {
        spatial: 0,
        temporal,
        indications: indications.to_vec(),
        references: references.to_vec(),
        chains: vec![chain],
    }
}

/// `next_layer_idc`: 0 same layer, 1 next temporal, 2 next spatial, 3 no more.
fn next_layer(template: &Template, next: Option<&Template>) -> u32 {
    match next {
        None => 3,
        Some(next) if next.spatial > template.spatial => 2,
        Some(next) if next.temporal > template.temporal => 1,
        Some(_) => 0,
    }
}

fn read_layers(from: &mut bits::Reader<'_>) -> Option<Vec<Template>> {
    let mut templates = Vec::new();
    let (mut spatial, mut temporal) = (0u8, 0u8);
    while templates.len() < MAX_TEMPLATES {
        let next = from.bits(2)?;
        templates.push(Template {
            spatial,
            temporal,
            indications: Vec::new(),
            references: Vec::new(),
            chains: Vec::new(),
        });
        match next {
            0 => {}
            1 => temporal += 1,
            2 => (spatial, temporal) = (spatial + 1, 0),
            _ => return Some(templates),
        }
        // Layer ids are two and three bits wide everywhere else.
        if spatial > MAX_SPATIAL || temporal > MAX_TEMPORAL {
            return None;
        }
    }
    None
}

fn read_indication(from: &mut bits::Reader<'_>) -> Option<Indication> {
    Some(match from.bits(2)? {
        0 => Indication::NotPresent,
        1 => Indication::Discardable,
        2 => Indication::Switch,
        _ => Indication::Required,
    })
}

fn read_references(from: &mut bits::Reader<'_>) -> Option<Vec<u16>> {
    let mut references = Vec::new();
    while from.flag()? {
        references.push(u16::try_from(from.bits(4)?).ok()? + 1);
    }
    (references.len() <= MAX_REFERENCES).then_some(references)
}

fn read_chains(from: &mut bits::Reader<'_>, targets: u8, templates: &mut [Template]) -> Option<Vec<u8>> {
    let chains = from.below(u32::from(targets) + 1)?;
    if chains == 0 {
        return Some(Vec::new());
    }
    let chain = |from: &mut bits::Reader<'_>| from.below(chains).and_then(|chain| u8::try_from(chain).ok());
    let protected_by = (0..targets).map(|_| chain(from)).collect::<Option<_>>()?;
    for template in templates {
        template.chains = (0..chains).map(|_| from.byte(4)).collect::<Option<_>>()?;
    }
    Some(protected_by)
}

fn read_sizes(from: &mut bits::Reader<'_>, layers: u8) -> Option<Vec<Size>> {
    // 65536 does not fit the type; nobody sends such pictures, so the number is held at its end.
    let side = |from: &mut bits::Reader<'_>| from.bits(16).map(|side| u16::try_from(side + 1).unwrap_or(u16::MAX));
    (0..layers).map(|_| Some(Size::new(side(from)?, side(from)?))).collect()
}

/// Frames that one frame may build on, in what we accept.
pub const MAX_REFERENCES: usize = 8;

/// Template ids have six bits.
const MAX_TEMPLATES: usize = 64;

/// Spatial ids have two bits.
const MAX_SPATIAL: u8 = 3;

/// Temporal ids have three bits.
const MAX_TEMPORAL: u8 = 7;
