import type { ReferenceList } from '../api/types.js';
import { number } from '../lib/format.js';
import { to } from '../lib/router.js';
import { Time } from '../parts/basics.js';
import { RuleLinks } from '../parts/rule-links.js';
import { ScrollX } from '../parts/scroll-x.js';

interface ListsTableProps {
  readonly lists: readonly ReferenceList[];
  readonly now: number;
}

/** Lists with what asks them, and where they come from. */
export function ListsTable({ lists, now }: ListsTableProps) {
  return (
    <ScrollX label="Table of lists">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">List</th>
            <th scope="col" class="end">
              Entries
            </th>
            <th scope="col">From</th>
            <th scope="col">Asked by</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>
          {lists.map(({ name, kind, entries, source, trouble, usedBy, changed }) => (
            <tr key={name}>
              <td class="name-cell">
                <a class="mono" href={to(['lists', name])}>
                  {name}
                </a>{' '}
                <span class="faint">{kind}</span>
                {trouble !== null && <div class="critical">{trouble}</div>}
              </td>
              <td class="end number">{number(entries)}</td>
              <td class="soft">{source ?? 'people, here'}</td>
              <td>{usedBy.length === 0 ? <span class="faint">no rule</span> : <RuleLinks ids={usedBy} />}</td>
              <td>
                {changed === null ? (
                  <span class="faint">–</span>
                ) : (
                  <>
                    <Time ms={changed.at} now={now} /> <span class="faint">{changed.author}</span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
