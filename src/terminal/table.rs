//! Tables that fit a width.

use std::rc::Rc;

use super::flow::{Block, Content};
use super::layout::{Context, layout, measure};
use super::wrap::{Inline, Line, Style};

/// A table as the page gives it.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) caption: Vec<Block>,
    pub(super) rows: Vec<Row>,
    /// True if the page asks for lines.
    pub(super) bordered: bool,
}

/// A row of cells.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) in_head: bool,
}

/// A cell, and how many columns and rows it says to span.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) blocks: Vec<Block>,
    pub(super) header: bool,
    pub(super) colspan: usize,
    pub(super) rowspan: usize,
}

/// More columns than this are never laid out side by side.
const MAX_COLUMNS: usize = 100;

/// A column is made narrower than its longest word only down to these widths, one after the other.
const WORD_WIDTHS: [usize; 4] = [usize::MAX, 24, 16, 10];

/// A cell with more blocks than this holds a part of a page, not a value.
const MAX_CELL_BLOCKS: usize = 40;

/// A label of a record is cut here: it is repeated on each row.
const MAX_LABEL: usize = 60;

impl Row {
    fn is_header(&self) -> bool {
        let mut cells = self.cells.iter().filter(|cell| !cell.blocks.is_empty()).peekable();
        cells.peek().is_some() && (self.in_head || cells.all(|cell| cell.header))
    }
}

impl Table {
    /// Returns true if there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.caption.is_empty()
            && self.rows.iter().flat_map(|row| &row.cells).all(|cell| cell.blocks.is_empty())
    }

    /// Gives the blocks of a table that only places parts of a page, or one under the other.
    pub(super) fn into_plain_blocks(self) -> Result<Vec<Block>, Self> {
        let filled = |row: &Row| row.cells.iter().filter(|cell| !cell.blocks.is_empty()).count();
        let one_column = self.rows.iter().all(|row| filled(row) <= 1);
        let has_header = self.rows.iter().any(|row| row.in_head || row.cells.iter().any(|cell| cell.header));
        let places_parts = !has_header
            && self.rows.iter().flat_map(|row| &row.cells).any(|cell| {
                cell.blocks.len() > MAX_CELL_BLOCKS
                    || (cell.blocks.len() > 3
                        && cell.blocks.iter().any(|block| matches!(block.content, Content::Heading(..))))
            });
        if !one_column && !places_parts {
            return Err(self);
        }
        let mut blocks = self.caption;
        let mut gap = false;
        for mut cell in self.rows.into_iter().flat_map(|row| row.cells) {
            // Values stand line by line, longer texts apart.
            let is_long = cell.blocks.len() > 1;
            if let Some(first) = cell.blocks.first_mut() {
                first.gap |= is_long || gap;
                gap = is_long;
            }
            blocks.append(&mut cell.blocks);
        }
        Ok(blocks)
    }

    /// Returns the least and the most columns that the table uses well.
    pub(super) fn measure(&self) -> (usize, usize) {
        let grid = Grid::new(self);
        let gaps = grid.gap_width() * grid.used().count().saturating_sub(1);
        (grid.least.iter().copied().max().unwrap_or(0), grid.most.iter().sum::<usize>() + gaps)
    }

    /// Lays the table out.
    pub(super) fn layout(&self, context: Context) -> Vec<Line> {
        let inner = Context { keep_long_lines: false, ..context };
        let caption = Context { base: context.base.with(Style::ITALIC), ..inner };
        let mut lines = layout(&self.caption, caption);
        let grid = Grid::new(self);
        match grid.widths(context.width) {
            Some(widths) => grid.side_by_side(&widths, inner, &mut lines),
            None => grid.records(inner, &mut lines),
        }
        lines
    }
}

/// A cell in its place.
struct Placed<'t> {
    cell: &'t Cell,
    row: usize,
    column: usize,
    columns: usize,
    /// The row after its last one.
    end: usize,
}

/// A table whose cells have places.
struct Grid<'t> {
    cells: Vec<Placed<'t>>,
    n_rows: usize,
    /// How many rows at the top are headers.
    n_headers: usize,
    /// True for lines between columns.
    ruled: bool,
    /// The width of the widest unbroken part, by column.
    least: Vec<usize>,
    /// The width of the widest line, by column; 0 for a column without content.
    most: Vec<usize>,
    /// True if there are more columns than can stand side by side.
    too_wide: bool,
}

impl<'t> Grid<'t> {
    fn new(table: &'t Table) -> Self {
        let n_rows = table.rows.len();
        let n_headers = table.rows.iter().take_while(|row| row.is_header()).count();
        let n_headers = if n_headers == n_rows { 0 } else { n_headers };
        let mut cells = Vec::new();
        let mut too_wide = false;
        // The row after the last one that a column is taken in.
        let mut taken = [0; MAX_COLUMNS];
        for (row, cell_row) in table.rows.iter().enumerate() {
            let mut column = 0;
            for cell in &cell_row.cells {
                while column < MAX_COLUMNS && taken[column] > row {
                    column += 1;
                }
                let free = taken[column..].iter().take_while(|&&end| end <= row).count();
                let columns = cell.colspan.min(free);
                let end = row.saturating_add(cell.rowspan).min(n_rows);
                taken[column..column + columns].fill(end);
                too_wide |= columns == 0;
                cells.push(Placed { cell, row, column, columns, end });
                column += columns;
            }
        }
        let n_columns = cells.iter().map(|cell| cell.column + cell.columns).max().unwrap_or(0);
        let ruled = (n_headers > 0 || table.bordered) && n_columns > 1;
        let (least, most) = (vec![0; n_columns], vec![0; n_columns]);
        let mut grid = Self { cells, n_rows, n_headers, ruled, least, most, too_wide };
        grid.measure_columns();
        grid
    }

    fn measure_columns(&mut self) {
        let measures: Vec<_> = self.cells.iter().map(|placed| measure(&placed.cell.blocks)).collect();
        for (placed, &(least, most)) in
            self.cells.iter().zip(&measures).filter(|(placed, _)| placed.columns == 1)
        {
            self.least[placed.column] = self.least[placed.column].max(least);
            self.most[placed.column] = self.most[placed.column].max(most);
        }
        let gap = self.gap_width();
        for (placed, &(least, most)) in
            self.cells.iter().zip(&measures).filter(|(placed, _)| placed.columns > 1)
        {
            let columns = placed.column..placed.column + placed.columns;
            for (wanted, widths) in [(least, &mut self.least), (most, &mut self.most)] {
                let widths = &mut widths[columns.clone()];
                // Columns without content of their own stay so, unless all of them are.
                let n_used = widths.iter().filter(|width| **width > 0).count();
                if n_used == 0 {
                    widths[0] = wanted;
                    continue;
                }
                let have = widths.iter().sum::<usize>() + gap * (n_used - 1);
                let missing = wanted.saturating_sub(have).div_ceil(n_used);
                for width in widths.iter_mut().filter(|width| **width > 0) {
                    *width += missing;
                }
            }
        }
    }

    fn gap_width(&self) -> usize {
        if self.ruled { 3 } else { 2 }
    }

    /// The columns with content.
    fn used(&self) -> impl Iterator<Item = usize> {
        (0..self.most.len()).filter(|&column| self.most[column] > 0)
    }

    /// Returns the least width of a column: room for one character.
    fn floor(&self, column: usize) -> usize {
        self.most[column].min(2)
    }

    /// Returns the width of each column, or `None` if they do not fit side by side.
    fn widths(&self, width: usize) -> Option<Vec<usize>> {
        if self.too_wide {
            return None;
        }
        let n_used = self.used().count();
        let room = width.checked_sub(self.gap_width() * n_used.saturating_sub(1))?;
        let least = WORD_WIDTHS.iter().find_map(|&word| {
            let least: Vec<_> =
                self.least.iter().zip(&self.most).map(|(&l, &m)| l.min(word).min(m)).collect();
            (least.iter().fold(0_usize, |sum, &l| sum.saturating_add(l)) <= room).then_some(least)
        })?;
        // Columns from the narrowest to the widest: each takes what it can use of an equal share.
        let mut order: Vec<_> = self.used().collect();
        order.sort_by_key(|&column| self.most[column]);
        let mut widths = vec![0; self.most.len()];
        let mut rest = room;
        for (i, &column) in order.iter().enumerate() {
            widths[column] = self.most[column].min(rest / (n_used - i));
            rest -= widths[column];
        }
        // A word that would be broken is paid for by the columns that have most to spare.
        for column in self.used() {
            widths[column] = widths[column].max(least[column]).max(self.floor(column));
        }
        let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
        while excess > 0 {
            let spare: usize =
                self.used().map(|c| widths[c].saturating_sub(least[c].max(self.floor(c)))).sum();
            if spare < excess {
                return None;
            }
            let share = excess;
            for column in self.used() {
                let own = widths[column].saturating_sub(least[column].max(self.floor(column)));
                let cut = (own * share).div_ceil(spare).min(own).min(excess);
                widths[column] -= cut;
                excess -= cut;
            }
        }
        Some(widths)
    }

    fn side_by_side(&self, widths: &[usize], context: Context, lines: &mut Vec<Line>) {
        let span = |placed: &Placed| {
            let widths = &widths[placed.column..placed.column + placed.columns];
            let gaps = widths.iter().filter(|&&width| width > 0).count().saturating_sub(1);
            widths.iter().sum::<usize>() + gaps * self.gap_width()
        };
        let laid: Vec<_> = self
            .cells
            .iter()
            .map(|placed| {
                let bold = if placed.cell.header { Style::BOLD } else { Style::PLAIN };
                let width = span(placed).max(2);
                layout(&placed.cell.blocks, Context { width, base: context.base.with(bold), ..context })
            })
            .collect();
        let heights = self.heights(&laid);
        let right = self.numeric_columns(widths.len());
        let spaced = self.ruled && heights[self.n_headers..].iter().any(|&height| height > 1);
        // What covers each column, and how many of its lines have been shown.
        let mut covers: Vec<Option<usize>> = vec![None; widths.len()];
        let mut shown = vec![0; self.cells.len()];
        let mut next = 0;
        let mut any = false;
        for (row, &height) in heights.iter().enumerate() {
            for cover in &mut covers {
                *cover = cover.filter(|&cell| self.cells[cell].end > row);
            }
            if any && self.ruled && (row == self.n_headers || (spaced && row > self.n_headers)) && height > 0
            {
                lines.push(self.rule(widths, &covers));
            }
            while let Some(placed) = self.cells.get(next).filter(|placed| placed.row == row) {
                covers[placed.column..placed.column + placed.columns].fill(Some(next));
                next += 1;
            }
            for i in 0..height {
                let mut line = Line::default();
                let mut edge = 0;
                let mut column = 0;
                while column < widths.len() {
                    let cover = covers[column];
                    let columns = cover.map_or(1, |cell| self.cells[cell].columns);
                    let width = cover.map_or(widths[column], |cell| span(&self.cells[cell]));
                    if width > 0 {
                        if edge > 0 {
                            line.pad(edge - self.gap_width());
                            line.push_str(if self.ruled { " │ " } else { "  " });
                        }
                        if let Some(part) = cover.and_then(|cell| laid[cell].get(shown[cell] + i)) {
                            if right[column] && columns == 1 && row >= self.n_headers {
                                line.pad(edge + width.saturating_sub(part.width));
                            }
                            line.push(part);
                        }
                        edge += width + self.gap_width();
                    }
                    column += columns.max(1);
                }
                line.text.truncate(line.text.trim_end_matches(' ').len());
                lines.push(line);
            }
            any |= height > 0;
            for (column, cover) in covers.iter().enumerate() {
                if let Some(cell) = cover.filter(|&cell| self.cells[cell].column == column) {
                    shown[cell] += height;
                }
            }
        }
    }

    /// Returns how many lines each row takes.
    fn heights(&self, laid: &[Vec<Line>]) -> Vec<usize> {
        let mut heights = vec![0_usize; self.n_rows];
        for (placed, lines) in self.cells.iter().zip(laid).filter(|(placed, _)| placed.end == placed.row + 1)
        {
            heights[placed.row] = heights[placed.row].max(lines.len());
        }
        for (placed, lines) in self.cells.iter().zip(laid).filter(|(placed, _)| placed.end > placed.row + 1) {
            let have: usize = heights[placed.row..placed.end].iter().sum();
            heights[placed.end - 1] += lines.len().saturating_sub(have);
        }
        heights
    }

    /// Returns a line between two rows, open where a cell goes on.
    fn rule(&self, widths: &[usize], covers: &[Option<usize>]) -> Line {
        let mut line = Line::default();
        let mut before: Option<bool> = None;
        for (column, &width) in widths.iter().enumerate().filter(|(_, width)| **width > 0) {
            let open = covers[column].is_some();
            match (before, open) {
                (None, _) => {}
                (Some(false), false) => line.push_str("─┼─"),
                (Some(true), false) => line.push_str(" ├─"),
                (Some(false), true) => line.push_str("─┤ "),
                (Some(true), true) => line.push_str(" │ "),
            }
            line.push_str(&if open { " " } else { "─" }.repeat(width));
            before = Some(open);
        }
        line.text.truncate(line.text.trim_end_matches(' ').len());
        line
    }

    /// Returns which columns hold numbers only, below the headers.
    fn numeric_columns(&self, n_columns: usize) -> Vec<bool> {
        let mut counts = vec![(0, true); n_columns];
        for placed in self.cells.iter().filter(|placed| placed.row >= self.n_headers && placed.columns == 1) {
            let (count, all) = &mut counts[placed.column];
            match &*placed.cell.blocks {
                [] => {}
                [Block { content: Content::Paragraph(text, _), marker: None, .. }]
                    if is_number(text.tail(0)) =>
                {
                    *count += 1;
                }
                _ => *all = false,
            }
        }
        counts.into_iter().map(|(count, all)| all && count > 1).collect()
    }

    /// Shows a row as a list of its cells.
    fn records(&self, context: Context, lines: &mut Vec<Line>) {
        let labels = self.labels();
        let mut row = None;
        for placed in
            self.cells.iter().filter(|placed| placed.row >= self.n_headers && !placed.cell.blocks.is_empty())
        {
            let first = row != Some(placed.row);
            if first && row.is_some() {
                lines.push(Line::default());
            }
            row = Some(placed.row);
            if first {
                lines.extend(layout(
                    &placed.cell.blocks,
                    Context { base: context.base.with(Style::BOLD), ..context },
                ));
                continue;
            }
            let label = labels.get(placed.column).filter(|label| !label.is_empty());
            let mut head = label.cloned().unwrap_or_default();
            let mut blocks = &*placed.cell.blocks;
            if let [Block { content: Content::Paragraph(text, _), marker: None, .. }, rest @ ..] = blocks {
                head.space(Style::PLAIN);
                head.append(text);
                blocks = rest;
            }
            let content = Content::Paragraph(head, Style::PLAIN);
            let head = Block { gap: false, indent: Rc::from("  "), marker: None, content };
            lines.extend(layout(&[head], context));
            let width = context.width.saturating_sub(4).max(2);
            for mut line in layout(blocks, Context { width, ..context }) {
                if line.width > 0 && width + 4 <= context.width {
                    line.text.insert_str(0, "    ");
                    line.width += 4;
                }
                lines.push(line);
            }
        }
    }

    /// Returns what the header rows say of each column, with a colon.
    fn labels(&self) -> Vec<Inline> {
        let mut labels = vec![Inline::default(); self.most.len()];
        for placed in self.cells.iter().filter(|placed| placed.row < self.n_headers) {
            let text: Vec<_> = placed
                .cell
                .blocks
                .iter()
                .filter_map(|block| match &block.content {
                    Content::Paragraph(text, _) | Content::Heading(_, text) => Some(text.tail(0).trim()),
                    _ => None,
                })
                .collect();
            let text: String = text.join(" ").chars().take(MAX_LABEL).collect();
            if text.is_empty() {
                continue;
            }
            for label in &mut labels[placed.column..placed.column + placed.columns] {
                if !label.is_empty() && label.len() < MAX_LABEL {
                    label.push(" / ", Style::BOLD);
                }
                if label.len() < MAX_LABEL {
                    label.push(&text, Style::BOLD);
                }
            }
        }
        for label in labels.iter_mut().filter(|label| !label.is_empty()) {
            label.push(":", Style::BOLD);
        }
        labels
    }
}

/// Returns true for the text of a number: digits, their marks, a sign, a unit of one character.
fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 24
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || " .,%+-−–~°€$£\u{a0}\u{2009}\u{202f}".contains(c))
}
