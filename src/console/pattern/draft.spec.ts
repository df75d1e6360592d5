import { withStatus } from './draft.js';

describe('another status in the text of a rule', () => {
  it.each([
    ['id: a\nstatus: draft # for now\nkey: b\n', 'id: a\nstatus: live\nkey: b\n'],
    ['# A rule\nid: a\nkey: b\n', '# A rule\nid: a\nstatus: live\nkey: b\n'],
  ])('%j', (before, after) => expect(withStatus(before, 'live')).toBe(after));
});
