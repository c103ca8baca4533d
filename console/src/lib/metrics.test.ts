import { describe, expect, it } from 'vitest';
import { metric } from '../../test/samples';
import { charts, formatValue, kFirstChartsMax, kSeriesMax, unitOf } from './metrics';

// What the agent sends (agent/metrics/sampler.hpp), with a second disk and a loopback.
const kMachine = [
  'cpu.usage_percent', 'cpu.user_percent', 'cpu.system_percent', 'cpu.iowait_percent', 'cpu.steal_percent',
  'disk.io.sda.busy_percent', 'disk.io.sda.read_bytes_s', 'disk.io.sda.write_bytes_s', 'disk.root.free_bytes',
  'disk.root.total_bytes', 'disk.root.used_bytes', 'disk.root.used_percent', 'disk.var.lib.used_percent', 'load.15m', 'load.1m',
  'load.5m', 'memory.available_bytes', 'memory.swap_total_bytes', 'memory.swap_used_bytes', 'memory.total_bytes',
  'memory.used_bytes', 'memory.used_percent', 'network.eth0.rx_bytes', 'network.eth0.rx_bytes_s', 'network.eth0.rx_dropped',
  'network.eth0.rx_errors', 'network.eth0.tx_bytes', 'network.eth0.tx_bytes_s', 'network.eth0.tx_dropped',
  'network.eth0.tx_errors', 'network.lo.rx_bytes_s', 'network.lo.tx_bytes_s', 'system.temperature_c', 'system.uptime_s',
].map((name) => metric(name));

describe('units', () => {
  it.each([
    ['a.b_percent', null, '%'],
    ['network.eth0.rx_bytes_s', null, 'B/s'],
    ['network.eth0.rx_bytes_per_s', null, 'B/s'],
    ['system.temperature_c', null, '°C'],
    ['system.uptime_s', null, 's'],
    ['memory.used_bytes', null, 'B'],
    ['x.temperature', null, '°C'],
    ['uptime.up_seconds', null, 's'],
    ['lab.temp', 'Cel', '°C'],
    ['lab.power', 'W', 'W'],
    ['lab.count', null, ''],
  ])('%s (%s) is in %s', (name, unit, expected) => expect(unitOf({ name, unit })).toBe(expected));

  it.each([
    [23.456, '%', '23.5 %'],
    [1_610_612_736, 'B', '1.5 GiB'],
    [2048, 'B/s', '2 KiB/s'],
    [42, 's', '42 s'],
    [7_260, 's', '2 h 1 min'],
    [0.5, '', '0.5'],
    [true, '', 'yes'],
    ['idle', '', 'idle'],
    [null, '%', '–'],
  ])('%s %s is shown as %s', (value, unit, text) => expect(formatValue(value, unit)).toBe(text));
});

describe('charts', () => {
  const all = charts(kMachine);
  it('open a machine with CPU, memory, disk and network', () => {
    expect(all.filter((c) => c.first).map((c) => c.title)).toEqual(['CPU', 'Memory', 'Disk', 'Network']);
  });
  it('put series of one kind and unit together', () => {
    const disk = all.find((c) => c.key === 'disk');
    expect(disk?.series.map((s) => s.label)).toEqual(['/', '/var/lib']);
    const network = all.find((c) => c.key === 'network');
    expect(network).toMatchObject({ unit: 'B/s', series: [{ label: 'eth0 in' }, { label: 'eth0 out' }] });
  });
  it('put a machine into a score of charts that a person can name', () => {
    expect(all.map((c) => c.title)).toEqual([
      'CPU', 'Memory', 'Disk', 'Network', 'Network, lo in, lo out', 'Temperature', 'Load', 'CPU by kind', 'Disk traffic',
      'Disk busy', 'Disk space', 'Memory space', 'Swap', 'Network in all', 'Network faults', 'system.uptime_s',
    ]);
  });
  it('keep loopback out of the first chart, but keep it', () => {
    const lo = all.find((c) => c.series.some((s) => s.metric.includes('.lo.')));
    expect(lo).toMatchObject({ first: false, key: 'network-2' });
  });
  it('lose no metric and draw none twice', () => {
    const drawn = all.flatMap((c) => c.series.map((s) => s.metric)).sort();
    expect(drawn).toEqual(kMachine.map((m) => m.name).sort());
    expect(new Set(all.map((c) => c.key)).size).toBe(all.length);
    expect(Math.max(...all.map((c) => c.series.length))).toBeLessThanOrEqual(kSeriesMax);
  });
  it('open anything else with its first metrics', () => {
    const own = charts(['lab.a', 'lab.b', 'lab.c', 'lab.d', 'lab.e'].map((n) => metric(n)));
    expect(own.filter((c) => c.first)).toHaveLength(kFirstChartsMax);
    expect(own[0]).toMatchObject({ title: 'lab.a', series: [{ metric: 'lab.a' }] });
  });
  it('split a crowd of series into readable charts', () => {
    const many = charts(Array.from({ length: 9 }, (_, i) => metric(`disk.d${i}.used_percent`)));
    expect(many.map((c) => c.series.length)).toEqual([4, 4, 1]);
    expect(many.map((c) => c.first)).toEqual([true, false, false]);
  });
  it('draw numbers only', () => {
    expect(charts([metric('door.open', { kind: 'boolean' }), metric('os.name', { kind: 'string' })])).toEqual([]);
  });
});
