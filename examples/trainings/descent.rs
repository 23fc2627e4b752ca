// A descent in Rust that prints as the crate `tracing` does on a terminal: keys in italics.
fn main() {
    let mut weight = 4.0_f64;
    for epoch in 1..=10 {
        weight -= 0.1 * 2.0 * weight;
        println!(
            "\x1b[32m INFO\x1b[0m \x1b[2mtrain\x1b[0m: \x1b[3mepoch\x1b[0m\x1b[2m=\x1b[0m{} \x1b[3mloss\x1b[0m\x1b[2m=\x1b[0m{:.6}",
            epoch,
            weight * weight
        );
    }
}
