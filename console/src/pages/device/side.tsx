// Beside the charts: why it is as it is, who it is, what runs on it, what it is made of.
import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { Device } from '../../api/types';
import { bytes, millis, moment, serial } from '../../lib/format';
import { formatValue, unitOf } from '../../lib/metrics';
import { tagText } from '../../lib/tags';
import { certificateWords, evidenceWords, presenceWords, reasonWords, renewalWords } from '../../lib/words';
import { now } from '../../state/now';
import { useMetrics } from '../../state/queries';
import { Ago, Badge } from '../../ui/basics';
import { Facts } from '../../ui/entries';

function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="panel side-panel">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Connection({ device }: { device: Device }) {
  const p = device.presence;
  const rows: [string, ComponentChildren][] = [['Last seen', <Ago time={p.last_seen} />]];
  if (p.address) rows.push(['Address', <code>{p.address}</code>]);
  if (p.protocol) rows.push(['Protocol', p.protocol]);
  if (p.last_disconnect_reason) rows.push(['Last ended', reasonWords(p.last_disconnect_reason)]);
  if (device.parent_id) rows.push(['Gateway', <Link href={`/devices/${device.parent_id}`}>{device.parent_id}</Link>]);
  return (
    <Panel title={p.online ? 'Connection' : p.last_seen ? 'Why offline' : 'Not connected yet'}>
      <p>{presenceWords(p, now.value).text}</p>
      {device.quarantine ? (
        <p>
          <Badge tone="bad">quarantined</Badge> since {moment(millis(device.quarantine.since), now.value)}:{' '}
          {device.quarantine.reason}
        </p>
      ) : null}
      <Facts rows={rows} />
    </Panel>
  );
}

function Identity({ device }: { device: Device }) {
  const c = device.certificate;
  const rows: [string, ComponentChildren][] = [['Id', <code class="break">{device.id}</code>]];
  rows.push(['Evidence', evidenceWords(device.evidence_class)]);
  if (c) {
    const words = certificateWords(c, now.value);
    const renewal = renewalWords(c, now.value);
    rows.push(['Key', c.key_algorithm]);
    rows.push(['Certificate', words.tone === 'plain' ? `${words.text} left` : <Badge tone={words.tone}>{words.text}</Badge>]);
    rows.push(['Renews', renewal.tone === 'plain' ? renewal.text : <Badge tone={renewal.tone}>{renewal.text}</Badge>]);
    rows.push(['Serial', <code class="break" title={c.serial}>{serial(c.serial, 8)}</code>]);
  }
  if (device.serial) rows.push(['Device serial', <code class="break">{device.serial}</code>]);
  return (
    <Panel title="Identity">
      {c ? null : <p class="faint">No certificate yet.</p>}
      <Facts rows={rows} />
    </Panel>
  );
}

/** Components shown; a device may report a thousand. */
const kComponentsShown = 12;

function Software({ device }: { device: Device }) {
  if (device.components.length === 0) {
    return (
      <Panel title="Software">
        <p class="faint">Nothing reported yet.</p>
      </Panel>
    );
  }
  const rest = device.components.length - kComponentsShown;
  return (
    <Panel title="Software">
      <Facts
        rows={device.components
          .slice(0, kComponentsShown)
          .map((c): [string, ComponentChildren] => [c.name, <code title={c.digest ?? undefined}>{c.version}</code>])}
      />
      {rest > 0 ? <p class="faint">and {rest} more</p> : null}
    </Panel>
  );
}

function text(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

function Hardware({ device }: { device: Device }) {
  const h = device.hardware ?? {};
  const rows: [string, ComponentChildren][] = [];
  const model = text(h['model']);
  const processor = text(h['processor']);
  const cores = text(h['cores']);
  const memory = h['memory_bytes'];
  if (model) rows.push(['Model', model]);
  if (processor) rows.push(['Processor', cores ? `${processor}, ${cores} cores` : processor]);
  if (typeof memory === 'number') rows.push(['Memory', bytes(memory)]);
  const kernel = text(device.os?.['kernel']);
  if (kernel) rows.push(['Kernel', <code>{kernel}</code>]);
  for (const link of device.network ?? []) {
    const name = text(link['name']);
    const addresses = Array.isArray(link['addresses']) ? link['addresses'].filter((a) => typeof a === 'string') : [];
    if (name && addresses.length > 0) rows.push([name, <code class="break">{addresses.join(' ')}</code>]);
  }
  return rows.length === 0 ? null : (
    <Panel title="Hardware">
      <Facts rows={rows} />
    </Panel>
  );
}

function Tags({ device }: { device: Device }) {
  const tags = Object.entries(device.tags);
  if (tags.length === 0) return null;
  return (
    <Panel title="Tags">
      <ul class="tags">
        {tags.map(([k, v]) => (
          <li key={k}>
            <Badge>{tagText(k, v)}</Badge>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Values that no chart can draw: words and yes or no. */
const kValuesShown = 20;

function OtherValues({ device }: { device: Device }) {
  const metrics = (useMetrics(device.id).data ?? []).filter((m) => m.kind !== 'number').slice(0, kValuesShown);
  return metrics.length === 0 ? null : (
    <Panel title="Reported values">
      <Facts rows={metrics.map((m): [string, ComponentChildren] => [m.name, formatValue(m.last_value, unitOf(m))])} />
    </Panel>
  );
}

export function SidePanels({ device }: { device: Device }) {
  return (
    <aside class="side" aria-label="About the device">
      <Connection device={device} />
      <Identity device={device} />
      <Software device={device} />
      <Hardware device={device} />
      <Tags device={device} />
      <OtherValues device={device} />
    </aside>
  );
}
