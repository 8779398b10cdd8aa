//! Cardinal B-splines: the weights by which a point between the nodes of a grid is distributed over them.

/// The order of the splines: degree plus 1, and the number of nodes of a point along each axis. Even.
pub(super) const ORDER: usize = 6;

/// The weights of a point's nodes along one axis, and their derivatives by the position, which is the part `t` of the way from
/// the node `ORDER / 2 - 1` to the next one, 0 to 1.
pub(super) fn weights(t: f64) -> [[f64; ORDER]; 2] {
    let mut weights = [0.0; ORDER];
    let mut derivatives = [0.0; ORDER];
    (weights[0], weights[1]) = (1.0 - t, t);
    for order in 3..=ORDER {
        if order == ORDER {
            derivatives[0] = -weights[0];
            for node in 1..ORDER {
                derivatives[node] = weights[node - 1] - weights[node];
            }
        }
        // The recursion of Cox and de Boor, from the last node on, in place.
        let part = 1.0 / (order - 1) as f64;
        weights[order - 1] = part * t * weights[order - 2];
        for node in (1..order - 1).rev() {
            let from = (order - 1 - node) as f64;
            weights[node] =
                part * ((t + from) * weights[node - 1] + (order as f64 - from - t) * weights[node]);
        }
        weights[0] *= part * (1.0 - t);
    }
    [weights, derivatives]
}

/// The spline's transform at a frequency, in cycles per node: what it multiplies the values at the nodes by.
pub(super) fn transform(frequency: f64) -> f64 {
    let [at_nodes, _] = weights(0.0);
    let middle = (ORDER / 2 - 1) as f64;
    let terms = (0..).zip(at_nodes);
    terms
        .map(|(node, weight)| {
            weight * (std::f64::consts::TAU * frequency * (f64::from(node) - middle)).cos()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_derivatives_fit_differences() {
        for t in [0.0, 0.2, 0.5, 0.93] {
            let [at, slope] = weights(t);
            assert!((at.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{t}");
            assert!(slope.iter().sum::<f64>().abs() < 1e-12, "{t}");
            let [later, _] = weights(t + 1e-6);
            for node in 0..ORDER {
                let difference = (later[node] - at[node]) / 1e-6;
                assert!((difference - slope[node]).abs() < 1e-4, "{t}, node {node}");
            }
        }
        let [at_node, _] = weights(0.0);
        assert_eq!(
            at_node.map(|w| (w * 120.0).round()),
            [1.0, 26.0, 66.0, 26.0, 1.0, 0.0]
        );
    }
}
