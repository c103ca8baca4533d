// The acts on devices with their forms, for the list's bulk bar and for the device page alike.
import { useState } from 'preact/hooks';
import type { Device } from '../api/types';
import { plural } from '../lib/format';
import { parseTag } from '../lib/tags';
import { moveAct, quarantineAct, releaseAct, revokeAct, tagAct, untagAct, type Act, type Outcome } from '../state/acts';
import { useSites } from '../state/queries';
import { ActDialog } from './act-dialog';
import { SelectField, TextField } from './basics';

export type ActName = 'quarantine' | 'release' | 'revoke' | 'move' | 'tag' | 'untag';

interface Props {
  devices: Device[];
  onClose: (outcome: Outcome | null) => void;
}

function whom(devices: Device[]): string {
  return devices.length === 1 ? (devices[0]?.name ?? '') : plural(devices.length, 'device');
}

const kReasonMax = 500;

interface Reasoned {
  title: string;
  button: string;
  effect: string;
  required: boolean;
  danger: boolean;
  act: (reason: string) => Act;
}

const kReasoned: Record<'quarantine' | 'release' | 'revoke', Reasoned> = {
  quarantine: {
    title: 'Quarantine',
    button: 'Quarantine',
    effect: 'The connection ends within a second and stays closed. Certificate and data are kept; a release undoes this.',
    required: true,
    danger: true,
    act: quarantineAct,
  },
  release: {
    title: 'Release',
    button: 'Release',
    effect: 'The quarantine ends, and connecting works again.',
    required: false,
    danger: false,
    act: releaseAct,
  },
  revoke: {
    title: 'Revoke certificates of',
    button: 'Revoke',
    effect: 'All certificates are void for good, and quarantine follows. Only a new code leads back. The data stays.',
    required: true,
    danger: true,
    act: revokeAct,
  },
};

function ReasonDialog({ devices, onClose, spec }: Props & { spec: Reasoned }) {
  const [reason, setReason] = useState('');
  const ready = !spec.required || reason.trim() !== '';
  return (
    <ActDialog
      title={`${spec.title} ${whom(devices)}`}
      devices={devices}
      act={spec.act(reason.trim())}
      ready={ready}
      effect={spec.effect}
      button={spec.button}
      danger={spec.danger}
      onClose={onClose}
    >
      <TextField
        label={spec.required ? 'Why' : 'Why, if you like'}
        hint="Kept in the timeline and the audit."
        required={spec.required}
        autofocus
        maxLength={kReasonMax}
        value={reason}
        onInput={(e) => setReason(e.currentTarget.value)}
      />
    </ActDialog>
  );
}

function MoveDialog({ devices, onClose }: Props) {
  const sites = useSites().data ?? [];
  const [id, setId] = useState<string | null>(null);
  const site = sites.find((s) => s.id === id);
  return (
    <ActDialog
      title={`Move ${whom(devices)}`}
      devices={devices}
      act={id === null ? null : moveAct(site ?? null)}
      effect="People and policy of the new site apply from then on."
      button="Move"
      onClose={onClose}
    >
      <SelectField
        label="Site"
        value={id ?? ''}
        options={[
          { value: '', label: id === null ? 'Choose a site' : 'No site' },
          ...sites.map((s) => ({ value: s.id, label: s.name })),
        ]}
        onChange={setId}
        hint={sites.length === 0 ? 'There is no site yet; add one on the page Sites.' : undefined}
      />
    </ActDialog>
  );
}

function TagDialog({ devices, onClose, remove }: Props & { remove: boolean }) {
  const [text, setText] = useState('');
  const tag = parseTag(text);
  const valid = typeof tag !== 'string';
  return (
    <ActDialog
      title={`${remove ? 'Remove a tag from' : 'Tag'} ${whom(devices)}`}
      devices={devices}
      act={valid ? (remove ? untagAct(tag.key) : tagAct(tag.key, tag.value)) : null}
      effect={remove ? 'The tag goes; all others stay.' : 'A tag with the same key gets the new value.'}
      button={remove ? 'Remove tag' : 'Tag'}
      onClose={onClose}
    >
      <TextField
        label={remove ? 'Key' : 'Tag'}
        hint={remove ? undefined : 'key or key=value, such as line=3'}
        error={text !== '' && !valid ? tag : undefined}
        required
        autofocus
        spellcheck={false}
        autocapitalize="off"
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
      />
    </ActDialog>
  );
}

export function DeviceActDialog({ name, ...props }: Props & { name: ActName }) {
  switch (name) {
    case 'move':
      return <MoveDialog {...props} />;
    case 'tag':
      return <TagDialog {...props} remove={false} />;
    case 'untag':
      return <TagDialog {...props} remove />;
    default:
      return <ReasonDialog {...props} spec={kReasoned[name]} />;
  }
}
