// Facets: each value with its count and a thin bar; a click adds it to the filter or takes it away.
import { count } from '../../lib/format';
import { hasPair, onlineOf, toggleOnline, togglePair, type FilterKey } from '../../lib/filter';
import type { DeviceFacets, Facet } from '../../api/types';

interface Props {
  facets: DeviceFacets;
  filter: string;
  onFilter: (text: string) => void;
}

/** Values shown of one facet; the field completes the rest. */
const kShownMax = 8;

function Bar({ share }: { share: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ width: `${Math.max(1, share * 100)}%` }} />
    </span>
  );
}

interface GroupProps {
  title: string;
  facet: Facet;
  isOn: (item: Facet[number]) => boolean;
  toggle: (item: Facet[number]) => string | null;
  onFilter: (text: string) => void;
}

function Group({ title, facet, isOn, toggle, onFilter }: GroupProps) {
  const most = facet.reduce((n, f) => Math.max(n, f.count), 0);
  const items = facet.filter((f) => f.count > 0 || isOn(f)).slice(0, kShownMax);
  if (items.length === 0) return null;
  return (
    <section class="facet">
      <h2>{title}</h2>
      <ul>
        {items.map((item) => {
          const next = toggle(item);
          const share = most > 0 ? item.count / most : 0;
          const inner = (
            <>
              <span class="facet-line">
                <span class="facet-label">{item.label}</span>
                <span class="facet-count">{count(item.count)}</span>
              </span>
              <Bar share={share} />
            </>
          );
          return (
            <li key={item.value ?? ''}>
              {next === null ? (
                <span class="facet-value idle">{inner}</span>
              ) : (
                <button type="button" class="facet-value" aria-pressed={isOn(item)} onClick={() => onFilter(next)}>
                  {inner}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function Facets({ facets, filter, onFilter }: Props) {
  const pair = (key: FilterKey, title: string, facet: Facet, by: 'value' | 'label') => (
    <Group
      title={title}
      facet={facet}
      onFilter={onFilter}
      isOn={(item) => item.value !== null && hasPair(filter, key, (by === 'value' ? item.value : item.label) ?? '')}
      // "Not set" can be counted but not asked for.
      toggle={(item) => (item.value === null ? null : togglePair(filter, key, by === 'value' ? item.value : item.label))}
    />
  );
  const online = facets.online.map((f) => ({ ...f, label: f.value === 'true' ? 'online' : 'offline' }));
  return (
    <div class="facets">
      <Group
        title="Connection"
        facet={online}
        onFilter={onFilter}
        isOn={(item) => onlineOf(filter) === (item.value === 'true')}
        toggle={(item) => toggleOnline(filter, item.value === 'true')}
      />
      {pair('state', 'State', facets.state, 'value')}
      {pair('type', 'Type', facets.type, 'label')}
      {pair('site', 'Site', facets.site, 'label')}
      {pair('tag', 'Tag', facets.tag, 'value')}
    </div>
  );
}
