import { describe, expect, it } from 'vitest';
import { lonely, plotData, plotOptions, roundUp, yRange, type PlotOptions } from './plot';

const options = (series: number, unit = '%'): PlotOptions => ({
  spec: { key: 'k', title: 'T', unit, first: true, series: Array.from({ length: series }, (_, i) => ({ metric: `m${i}`, label: `l${i}` })) },
  colour: 3,
  palette: { series: ['rgb(1, 2, 3)', 'rgb(4, 5, 6)', 'rgb(7, 8, 9)', 'rgb(10, 11, 12)'], line: 'l', text: 't', surface: 's' },
  width: 600,
  gutter: 76,
  font: '11px Inter',
  onHover: () => undefined,
  onZoom: () => undefined,
});

describe('the vertical scale', () => {
  it.each([
    [0, 0],
    [0.00314, 0.0032],
    [7, 7],
    [72.2, 73],
    [283_113, 290_000],
  ])('rounds %d up to %d', (value, up) => expect(roundUp(value)).toBeCloseTo(up, 6));
  it('begins at zero, or below for what is negative, and leaves room above', () => {
    expect(yRange(5, 50)[0]).toBe(0);
    expect(yRange(5, 50)[1]).toBeGreaterThan(50);
    expect(yRange(-8.31, 3)[0]).toBeCloseTo(-8.4);
    expect(yRange(0, 0)).toEqual([0, 1.18]);
    expect(yRange(null, null)[1]).toBeGreaterThan(0);
  });
});

it('a value without neighbours is found, so that it gets a point', () => {
  expect(lonely([5])).toEqual([0]);
  expect(lonely([5, 6, null, 7, null, null, 8])).toEqual([3, 6]);
  expect(lonely([null, undefined, 1])).toEqual([2]);
  expect(lonely([])).toEqual([]);
});

describe('a plot', () => {
  it('of one series has an area and the band of smallest and largest', () => {
    const o = plotOptions(options(1));
    expect(o.series).toHaveLength(4);
    expect(o.bands).toMatchObject([{ series: [2, 3] }]);
    expect(o.series[1]).toMatchObject({ stroke: 'rgb(10, 11, 12)', fill: 'rgba(10, 11, 12, 0.1)' });
    const data = plotData({ x: [1], mean: [[5]], min: [[4]], max: [[6]] });
    expect(data).toEqual([[1], [5], [6], [4]]);
  });
  it('of several tells them apart by colour and dash', () => {
    const o = plotOptions(options(3));
    expect(o.bands).toBeUndefined();
    const lines = o.series.slice(1);
    expect(new Set(lines.map((s) => String(s.stroke))).size).toBe(3);
    expect(new Set(lines.map((s) => JSON.stringify(s.dash))).size).toBe(3);
    expect(plotData({ x: [1], mean: [[1], [2], [3]], min: [[], [], []], max: [[], [], []] })).toHaveLength(4);
  });
});
