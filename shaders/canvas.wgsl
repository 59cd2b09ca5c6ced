// Composites an image that was drawn on the CPU over the whole viewport, one texel per pixel.

// True if the target's format encodes linear values into sRGB.
override LINEAR_TARGET: bool = false;

@group(0) @binding(0) var canvas: texture_2d<f32>;

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) pixel: vec2<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Fragment {
    // One triangle that covers the viewport.
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0;
    var out: Fragment;
    out.position = vec4<f32>(corner.x * 2.0 - 1.0, 1.0 - corner.y * 2.0, 0.0, 1.0);
    out.pixel = corner * vec2<f32>(textureDimensions(canvas));
    return out;
}

// Converts sRGB code values to linear values.
fn linear(code: vec3<f32>) -> vec3<f32> {
    let curve = pow((code + 0.055) / 1.055, vec3<f32>(2.4));
    return select(curve, code / 12.92, code <= vec3<f32>(0.04045));
}

@fragment
fn fragment(in: Fragment) -> @location(0) vec4<f32> {
    let texel = textureLoad(canvas, vec2<i32>(in.pixel), 0);
    if (!LINEAR_TARGET) {
        return texel;
    }
    // The conversion needs straight alpha; the canvas is premultiplied.
    return vec4<f32>(linear(texel.rgb / max(texel.a, 1.0 / 255.0)) * texel.a, texel.a);
}
