import { useEffect, useState } from 'preact/hooks';
import * as api from '../api/calls.js';
import type { ReferenceList } from '../api/types.js';
import { number } from '../lib/format.js';
import { Note } from '../parts/basics.js';
import { type InForce, type Place, takenOver } from './taken-over.js';

export interface Changed {
  readonly list: ReferenceList;
  /** What was done. */
  readonly said: string;
  readonly before: InForce;
}

const EVERY_MS = 400;
/** A partition goes over between two batches; one that is being filled, or restored, later. */
const WATCHED_MS = 20_000;

/** What was changed, and from which record on each partition asks the list as it is now. */
export function Places({ of: { list, said, before } }: { readonly of: Changed }) {
  const [places, setPlaces] = useState<readonly Place[]>([]);
  const asked = list.usedBy.length > 0;
  useEffect(() => {
    if (!asked) return;
    const gone = new AbortController();
    const until = performance.now() + WATCHED_MS;
    void (async () => {
      while (!gone.signal.aborted && performance.now() < until) {
        const status = await api.status(gone.signal).catch(() => null);
        if (status !== null && !gone.signal.aborted) setPlaces(takenOver(before, status));
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    })();
    return () => gone.abort();
  }, [asked, before]);
  return (
    <div role="status">
      <Note tone="good">
        <strong>{said}</strong>{' '}
        {!asked
          ? 'No rule asks this list, so nothing changes in what is found.'
          : places.length === 0
            ? 'Partitions go over to it between two batches.'
            : 'In force, as the journal says:'}
        {places.length > 0 && (
          <ul class="places">
            {places.map(({ topic, partition, offset }) => (
              <li key={`${topic}/${partition}`}>
                <span class="mono">
                  {topic}/{partition}
                </span>{' '}
                from record {number(offset)} on
              </li>
            ))}
          </ul>
        )}
      </Note>
    </div>
  );
}
