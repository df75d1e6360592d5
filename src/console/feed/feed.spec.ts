import type { Alert } from '../api/types.js';
import { AlertFeed } from './feed.js';

const alert = (id: string): Alert => ({ id }) as Alert;

function aFeed(rowsMax = 100) {
  const turns: (() => void)[] = [];
  const feed = new AlertFeed({ rowsMax, soon: (flush) => turns.push(flush) });
  const turn = () => {
    for (const flush of turns.splice(0)) flush();
  };
  let changes = 0;
  feed.state.subscribe(() => changes++);
  return { feed, turn, ids: () => feed.state.value.rows.map(({ id }) => id), changes: () => changes };
}

describe('the live list', () => {
  it('shows what came between two turns at once, the newest first, and each alert once', () => {
    const { feed, turn, ids, changes } = aFeed();
    feed.append([alert('b'), alert('a')]);
    for (const id of ['c', 'b', 'd']) feed.add(alert(id));
    expect(ids()).toEqual(['b', 'a']);
    turn();
    expect([ids(), changes()]).toEqual([['d', 'c', 'b', 'a'], 2]);
  });

  it('stays as it is while it is held, and counts what waits', () => {
    const { feed, turn, ids } = aFeed();
    feed.append([alert('a')]);
    feed.hold(true);
    feed.add(alert('b'));
    turn();
    expect([ids(), feed.state.value.waiting]).toEqual([['a'], 1]);
    feed.hold(false);
    expect([ids(), feed.state.value.waiting]).toEqual([['b', 'a'], 0]);
  });

  it('is bounded, also while it is held', () => {
    const { feed, turn, ids } = aFeed(3);
    for (let n = 0; n < 10; n++) feed.add(alert(`n${n}`));
    turn();
    expect(ids()).toEqual(['n9', 'n8', 'n7']);
    feed.hold(true);
    for (let n = 10; n < 20; n++) feed.add(alert(`n${n}`));
    turn();
    expect(feed.state.value.waiting).toBe(3);
    feed.hold(false);
    expect(ids()).toEqual(['n19', 'n18', 'n17']);
  });
});
