// What stands around every page: the words on the left (a drawer below 900 px), the skip link, and the
// settings of this browser. A page is named only when its capability exists and the person may use it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { count } from './lib/format';
import { Logo } from './logo';
import { useFleetSize } from './state/queries';
import { signOut, useCan, useSession } from './state/session';
import { density, kDensities, kThemes, shortcuts, theme } from './state/settings';
import { Choice, Menu, MenuItem } from './ui/menu';

interface Place {
  path: string;
  label: string;
  permission: string;
  group: '' | 'System';
}

const kPlaces: Place[] = [
  { path: '/devices', label: 'Devices', permission: 'device.read', group: '' },
  { path: '/sites', label: 'Sites', permission: 'site.read', group: '' },
  { path: '/audit', label: 'Audit', permission: 'audit.read', group: 'System' },
];

function isHere(place: Place, path: string): boolean {
  return path === place.path || path.startsWith(`${place.path}/`) || (place.path === '/devices' && path.startsWith('/add'));
}

function Account() {
  const name = useSession().data?.actor.name ?? '';
  return (
    <Menu up className="account" label={<span class="account-name">{name}</span>}>
      <Choice
        legend="Colours"
        value={theme.value}
        options={kThemes.map((value) => ({ value, label: value }))}
        onChoose={(v) => (theme.value = v)}
      />
      <Choice
        legend="Rows"
        value={density.value}
        options={kDensities.map((value) => ({ value, label: value }))}
        onChoose={(v) => (density.value = v)}
      />
      <Choice
        legend="Shortcut / for the filter"
        value={shortcuts.value}
        options={[
          { value: 'on', label: 'on' },
          { value: 'off', label: 'off' },
        ]}
        onChoose={(v) => (shortcuts.value = v)}
      />
      <MenuItem onChoose={() => void signOut()}>Sign out</MenuItem>
    </Menu>
  );
}

function Places({ onGo }: { onGo: () => void }) {
  const [path] = useLocation();
  const can = useCan();
  const size = useFleetSize(can('device.read')).data;
  const places = kPlaces.filter((p) => can(p.permission));
  const groups = [...new Set(places.map((p) => p.group))];
  return (
    <>
      {groups.map((group) => (
        <div key={group} class="nav-group">
          {group ? <p class="nav-head">{group}</p> : null}
          <ul>
            {places
              .filter((p) => p.group === group)
              .map((p) => (
                <li key={p.path}>
                  <Link href={p.path} class={isHere(p, path) ? 'here' : ''} aria-current={isHere(p, path) ? 'page' : undefined} onClick={onGo}>
                    <span>{p.label}</span>
                    {p.path === '/devices' && size ? <span class="nav-count">{count(size)}</span> : null}
                  </Link>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </>
  );
}

export function Frame({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path.split('/')[1]);
  // Another page: its heading comes into view, and the reading position of assistive technology moves along.
  useEffect(() => {
    const place = path.split('/')[1];
    if (before.current === place) return;
    before.current = place;
    main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [path]);
  return (
    <div class={`frame${open ? ' open' : ''}`}>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <header class="phone-head">
        <button type="button" class="button quiet" aria-expanded={open} aria-controls="nav" onClick={() => setOpen(!open)}>
          Menu
        </button>
        <Link href="/devices" class="brand">
          <Logo /> Holdfast
        </Link>
      </header>
      <nav id="nav" class="nav" aria-label="Pages" onKeyDown={(e) => e.key === 'Escape' && setOpen(false)}>
        <Link href="/devices" class="brand">
          <Logo /> Holdfast
        </Link>
        <Places onGo={() => setOpen(false)} />
        <Account />
      </nav>
      {open ? <div class="shade" onClick={() => setOpen(false)} /> : null}
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
