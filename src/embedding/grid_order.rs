//! The assignment of many points to the cells of a grid, at a cost that grows about linearly: the points are halved along the
//! longer side of their part of the grid until each has a cell (as in a k-d tree), and then neighbouring cells exchange their
//! points while that brings them nearer.

/// The most rounds of exchanges.
const ROUNDS: usize = 60;
/// How far apart cells that exchange their points may be, in columns and rows.
const REACH: usize = 2;

/// Column and row of each point, in distinct cells; `x` and `y` are in the unit square, and there are at least as many cells
/// as points.
pub(super) fn assign_by_order(
    x: &[f64],
    y: &[f64],
    columns: usize,
    rows: usize,
) -> Vec<(usize, usize)> {
    let mut grid = Grid {
        x,
        y,
        columns,
        rows,
        cells: vec![None; columns * rows],
    };
    let mut points: Vec<u32> = (0..x.len() as u32).collect();
    grid.place(&mut points, [0, columns], [0, rows]);
    for _ in 0..ROUNDS {
        if !grid.exchange() {
            break;
        }
    }
    let mut found = vec![(0, 0); x.len()];
    for (cell, point) in grid.cells.iter().enumerate() {
        if let Some(point) = point {
            found[*point as usize] = (cell % columns, cell / columns);
        }
    }
    found
}

struct Grid<'a> {
    x: &'a [f64],
    y: &'a [f64],
    columns: usize,
    rows: usize,
    /// The point of each cell, row by row.
    cells: Vec<Option<u32>>,
}

impl Grid<'_> {
    /// Places points in the cells from the first column and row to before the last ones.
    fn place(&mut self, points: &mut [u32], [left, right]: [usize; 2], [top, bottom]: [usize; 2]) {
        let (wide, high) = (right - left, bottom - top);
        if wide * high == 1 {
            self.cells[top * self.columns + left] = points.first().copied();
            return;
        }
        if points.is_empty() {
            return;
        }
        let along_x = wide >= high;
        let coordinates = if along_x { self.x } else { self.y };
        // Empty cells are left where the points are sparsest only by chance: both halves get their share.
        let (length, across) = if along_x { (wide, high) } else { (high, wide) };
        let half = length / 2;
        let (room, rest) = (half * across, (length - half) * across);
        let share = (points.len() * room + (room + rest) / 2) / (room + rest);
        let count = share.clamp(points.len().saturating_sub(rest), room.min(points.len()));
        if count > 0 && count < points.len() {
            points.select_nth_unstable_by(count, |a, b| {
                let order = coordinates[*a as usize].total_cmp(&coordinates[*b as usize]);
                order.then(a.cmp(b))
            });
        }
        let (before, after) = points.split_at_mut(count);
        if along_x {
            self.place(before, [left, left + half], [top, bottom]);
            self.place(after, [left + half, right], [top, bottom]);
        } else {
            self.place(before, [left, right], [top, top + half]);
            self.place(after, [left, right], [top + half, bottom]);
        }
    }

    /// The squared distance of a point to the middle of a cell; 0 for no point.
    fn cost(&self, point: Option<u32>, cell: usize) -> f64 {
        let Some(point) = point else {
            return 0.0;
        };
        let middle = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
        let across = self.x[point as usize] - middle(cell % self.columns, self.columns);
        let down = self.y[point as usize] - middle(cell / self.columns, self.rows);
        across * across + down * down
    }

    /// Exchanges the points of cells where that lowers the sum of their costs; whether there was any.
    fn exchange(&mut self) -> bool {
        let mut any = false;
        for cell in 0..self.cells.len() {
            let (column, row) = (cell % self.columns, cell / self.columns);
            for down in 0..=REACH.min(self.rows - 1 - row) {
                let from = if down == 0 {
                    column + 1
                } else {
                    column.saturating_sub(REACH)
                };
                for to in from..=(column + REACH).min(self.columns - 1) {
                    let other = (row + down) * self.columns + to;
                    let (one, two) = (self.cells[cell], self.cells[other]);
                    let before = self.cost(one, cell) + self.cost(two, other);
                    let after = self.cost(one, other) + self.cost(two, cell);
                    if after < before - 1e-15 {
                        self.cells.swap(cell, other);
                        any = true;
                    }
                }
            }
        }
        any
    }
}
