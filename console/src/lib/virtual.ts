// Which rows of a long list are in view, when all rows have one height. Pure.
export interface RowWindow {
  /** First row to draw, and the one after the last. */
  from: number;
  to: number;
  /** Height of what is left out above and below, px. */
  above: number;
  below: number;
  /** Rows that a person really sees, for "rows 1 to 18". */
  seenFrom: number;
  seenTo: number;
}

const kOverscanRows = 12;

export function rowWindow(scrollTop: number, viewPx: number, rowPx: number, rows: number): RowWindow {
  const top = Math.min(Math.max(0, scrollTop), Math.max(0, rows * rowPx - viewPx));
  const seenFrom = Math.min(rows, Math.floor(top / rowPx));
  const seenTo = Math.min(rows, Math.max(seenFrom, Math.floor((top + viewPx) / rowPx)));
  const from = Math.max(0, seenFrom - kOverscanRows);
  const to = Math.min(rows, Math.ceil((top + viewPx) / rowPx) + kOverscanRows);
  return { from, to, above: from * rowPx, below: (rows - to) * rowPx, seenFrom, seenTo };
}

/** Close enough to the end of what is loaded that the next page should come. */
export function nearEnd(window: RowWindow, rows: number, pageRows: number): boolean {
  return rows - window.to < pageRows / 2;
}
