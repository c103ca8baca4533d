// One device: first line what it is and its state, second the facts that matter, then the tabs of what
// exists and the person may read.
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { Device } from '../../api/types';
import { deviceFacts, stateTone } from '../../lib/words';
import { now } from '../../state/now';
import { useInterest } from '../../state/live';
import { useDevice } from '../../state/queries';
import { useCan } from '../../state/session';
import { Badge, Button, Live } from '../../ui/basics';
import { DeviceActDialog, type ActName } from '../../ui/device-acts';
import { Menu, MenuItem } from '../../ui/menu';
import { LiveMark, ProblemView, Waiting } from '../../ui/states';
import { useTitle } from '../../ui/title';
import { AuditTab } from './audit-tab';
import { useLiveItems } from './chart-data';
import { CommandDialog, CommandsTab } from './commands-tab';
import { EditDialog } from './edit-dialog';
import { Overview } from './overview';
import { TimelineTab } from './timeline-tab';
import { TwinTab } from './twin-tab';

const kTabs = [
  { key: 'overview', label: 'Overview', permission: 'telemetry.read' },
  { key: 'twin', label: 'Twin', permission: 'twin.read' },
  { key: 'commands', label: 'Commands', permission: 'command.read' },
  { key: 'timeline', label: 'Timeline', permission: 'event.read' },
  { key: 'audit', label: 'Audit', permission: 'audit.read' },
] as const;

type Open = ActName | 'edit' | 'command' | null;

function Actions({ device, onOpen }: { device: Device; onOpen: (what: Open) => void }) {
  const can = useCan();
  const quarantined = device.state === 'quarantined';
  const more = can('device.write') || can('device.revoke');
  return (
    <div class="actions">
      {can('command.run') ? <Button onClick={() => onOpen('command')}>Command</Button> : null}
      {can('device.quarantine') ? (
        <Button onClick={() => onOpen(quarantined ? 'release' : 'quarantine')}>{quarantined ? 'Release' : 'Quarantine'}</Button>
      ) : null}
      {more ? (
        <Menu label="More">
          {can('device.write') ? (
            <>
              <MenuItem onChoose={() => onOpen('edit')}>Name, site, type, tags</MenuItem>
            </>
          ) : null}
          {can('device.revoke') ? (
            <MenuItem danger onChoose={() => onOpen('revoke')}>
              Revoke certificates
            </MenuItem>
          ) : null}
        </Menu>
      ) : null}
    </div>
  );
}

function Crumbs({ device }: { device: Device }) {
  const quote = (s: string) => (/\s/.test(s) ? `"${s}"` : s);
  const to = (key: string, name: string) => `/devices?${new URLSearchParams({ filter: `${key}:${quote(name)}` }).toString()}`;
  return (
    <nav class="crumbs" aria-label="Where this device stands">
      <Link href="/devices">Devices</Link>
      {device.site_name ? (
        <>
          {' / '}
          <Link href={to('site', device.site_name)}>{device.site_name}</Link>
        </>
      ) : null}
      {device.type_name ? (
        <>
          {' / '}
          <Link href={to('type', device.type_name)}>{device.type_name}</Link>
        </>
      ) : null}
    </nav>
  );
}

function Head({ device, onOpen }: { device: Device; onOpen: (what: Open) => void }) {
  const online = device.presence.online;
  return (
    <header class="device-head">
      <Crumbs device={device} />
      <div class="title">
        <h1>{device.name}</h1>
        <Live value={String(online)}>
          <Badge tone={online ? 'ok' : 'plain'}>{online ? 'online' : 'offline'}</Badge>
        </Live>
        <Live value={device.state}>
          <Badge tone={stateTone(device.state)}>{device.state}</Badge>
        </Live>
        <span class="grow" />
        <LiveMark />
        <Actions device={device} onOpen={onOpen} />
      </div>
      <p class="facts-line">{deviceFacts(device, now.value).join(' · ')}</p>
    </header>
  );
}

function Tabs({ id, tab }: { id: string; tab: string }) {
  const can = useCan();
  return (
    <nav class="tabs" aria-label="Parts of the device page">
      {kTabs
        .filter((t) => can(t.permission))
        .map((t) => (
          <Link
            key={t.key}
            href={t.key === 'overview' ? `/devices/${id}` : `/devices/${id}/${t.key}`}
            class={t.key === tab ? 'here' : ''}
            aria-current={t.key === tab ? 'page' : undefined}
          >
            {t.label}
          </Link>
        ))}
    </nav>
  );
}

function Body({ device, tab, onOpen }: { device: Device; tab: string; onOpen: (what: Open) => void }) {
  const live = useLiveItems(device.id);
  switch (tab) {
    case 'twin':
      return <TwinTab device={device} />;
    case 'commands':
      return <CommandsTab device={device} onRun={() => onOpen('command')} />;
    case 'timeline':
      return <TimelineTab device={device} live={live} />;
    case 'audit':
      return <AuditTab device={device} />;
    default:
      return <Overview device={device} live={live} />;
  }
}

export default function DevicePage({ id, tab }: { id: string; tab: string }) {
  const read = useDevice(id);
  const [open, setOpen] = useState<Open>(null);
  useInterest([id]);
  const device = read.data;
  useTitle(...(device ? [device.name] : []), 'Devices');
  if (!device) {
    return (
      <div class="page">
        <nav class="crumbs" aria-label="Where this device stands">
          <Link href="/devices">Devices</Link>
        </nav>
        <h1>Device</h1>
        {read.isPending ? <Waiting /> : <ProblemView error={read.error} retry={() => void read.refetch()} />}
      </div>
    );
  }
  const close = () => setOpen(null);
  return (
    <div class="page device-page">
      <Head device={device} onOpen={setOpen} />
      {read.isError ? <ProblemView error={read.error} retry={() => void read.refetch()} /> : null}
      <Tabs id={id} tab={tab} />
      <Body device={device} tab={tab} onOpen={setOpen} />
      {open === 'edit' ? <EditDialog device={device} onClose={close} /> : null}
      {open === 'command' ? <CommandDialog device={device} onClose={close} /> : null}
      {open !== null && open !== 'edit' && open !== 'command' ? (
        <DeviceActDialog name={open} devices={[device]} onClose={close} />
      ) : null}
    </div>
  );
}
