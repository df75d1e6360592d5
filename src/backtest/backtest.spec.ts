import { DAY, LARGE, measured, PAIR, removeFiles, tried } from './testing/kit.js';

afterAll(removeFiles);

describe('a back-test', () => {
  it('measures what alerts accuse in the scored range', async () => {
    const rows = 'A300@0 A300@1 A100@1.1 B300@1.2 B10@2 C300@3 C20@4';
    const labels = ['p0', 'p1', 'p4', 'p5'].map((id) => ({ id }));
    const all = await measured({ rows, labels });
    expect(all).toMatchObject({ events: 7, alerts: 4, precision: 0.75, recall: 0.75, f1: 0.75, scored: 7 });
    const part = await measured({ rows, labels, section: 'from: 1970-01-02\nto: 1970-01-04' });
    expect(part).toMatchObject({ alerts: 2, precision: 0.5, recall: 0.5, scored: 4 });
    expect(part.detection).toMatchObject({ truePositives: 1, falsePositives: 1, frauds: 2, falsePerTrue: 1 });
    const said = await measured({ rows, labels, options: { from: 3 * DAY, to: 9 * DAY } });
    expect(said).toMatchObject({ alerts: 1, precision: 1, recall: 1, scored: 2 });
  });

  it('lets what came before the range warm up the rules', async () => {
    const rows = 'A1@0.5 A150@1.5';
    const result = await measured({ rows, labels: [{ id: 'p1' }], section: 'from: 1970-01-02', rules: [PAIR] });
    expect(result).toMatchObject({ alerts: 1, precision: 1, recall: 1 });
  });

  it.each([
    ['last', '', ['p1']],
    ['all', 'accuse: all', ['p0', 'p1']],
    ['a step', 'accuse: small', ['p0']],
    ['what the rule says', 'accuse: small', ['p1'], PAIR.replace('{score: 50}', '{score: 50, accuses: [big]}')],
  ] as const)('accuses %s', async (_, section, accused, rule: string = PAIR) => {
    const labels = accused.map((id) => ({ id }));
    const result = await measured({ rows: 'A1@0 A150@1', labels, section, rules: [rule] });
    expect(result).toMatchObject({ precision: 1, recall: 1, detection: { accused: accused.length } });
  });

  it('counts a transaction once however many alerts accuse it', async () => {
    const rows = 'A1@0 A300@1 B300@2';
    const both = { rows, labels: [{ id: 'p1' }], rules: [LARGE, PAIR] };
    expect(await measured(both)).toMatchObject({ alerts: 2, precision: 0.5, detection: { accused: 2 } });
    expect(await measured({ ...both, section: 'onePerTransaction: false' })).toMatchObject({
      ...{ alerts: 3, precision: 0.5 },
      byRule: { large: { accused: 2, truePositives: 1 }, pair: { accused: 1, truePositives: 1 } },
    });
  });

  it('ranks by score, and everybody whom no alert accuses last', async () => {
    const rows = 'A1@0 A150@1 B300@2 C9@3 D9@4';
    const labels = [{ id: 'p2' }, { id: 'p3' }];
    const result = await measured({ rows, labels, rules: [LARGE, PAIR] });
    // 80: p2 (fraud); 50: p1; 0: three, of which one is fraud.
    expect(result.averagePrecision).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 5), 12);
    expect(result.rocAuc).toBeCloseTo((3 + 0 + 1) / 6, 12);
  });

  it.each([
    ['max', 80],
    ['sum', 100],
    ['noisyOr', 90],
  ])('puts scores together by %s', async (combine, threshold) => {
    const section = `combine: ${combine}`;
    const loose = await measured({ rows: 'A1@0 A300@1', labels: [{ id: 'p1' }], section, rules: [LARGE, PAIR] });
    expect(loose.curve[0]).toMatchObject({ threshold, truePositives: 1 });
  });

  it('tells recall by kind of fraud', async () => {
    const labels = [
      { id: 'p0', kind: 'a' },
      { id: 'p1', kind: 'b' },
      { id: 'p2', kind: 'b' },
    ];
    const result = await measured({ rows: 'A300@0 B300@0 B1@1', labels, section: 'labels.scenario: kind' });
    expect(result.byScenario).toMatchObject({ a: { frauds: 1, found: 1, recall: 1 }, b: { frauds: 2, found: 1 } });
  });

  it('takes rows that say they are genuine for that', async () => {
    const labels = [
      { id: 'p0', bad: 1 },
      { id: 'p1', bad: 0 },
    ];
    const result = await measured({ rows: 'A300@0 B300@0', labels, section: 'labels.fraud: bad' });
    expect(result).toMatchObject({ precision: 0.5, recall: 1 });
  });

  it('measures by account where labels are of accounts', async () => {
    const rows = 'A300@0 A300@1 B300@2 C1@3 D1@4';
    const labels = [{ id: 'A' }, { id: 'C' }];
    const result = await measured({ rows, labels, section: 'labels.of: account' });
    expect(result).toMatchObject({ precision: 0.5, recall: 0.5, scored: 4, alerts: 2, topK: null });
  });

  it('leaves out those with a fraud that was known before the day', async () => {
    // The fraud of day 1 is known on day 3: from day 4 on A is left out.
    const rows = 'A300@1 A300@3.5 A300@4.5 B300@4.5';
    const section = 'from: 1970-01-04\nlabels.knownAfter: 2d\nexclude: {key: account}';
    const labels = ['p0', 'p1', 'p2', 'p3'].map((id) => ({ id }));
    const result = await measured({ rows, labels, section });
    expect(result).toMatchObject({ alerts: 2, scored: 2, detection: { frauds: 2, truePositives: 2 } });
    const later = await measured({ rows, labels, section: section.replace('account', 'account, since: 1970-01-03') });
    expect(later).toMatchObject({ alerts: 3, scored: 3 });
  });

  it('lays a profile over the section', async () => {
    const section = 'from: 1970-01-02\nprofiles:\n    early: {from: 1970-01-01, to: 1970-01-02}';
    const rows = 'A300@0 B300@1 B300@2';
    expect(await measured({ rows, labels: [], section })).toMatchObject({ alerts: 2, profile: null });
    const early = await measured({ rows, labels: [], section, options: { profile: 'early' } });
    expect(early).toMatchObject({ alerts: 1, scored: 1, profile: 'early' });
    await expect(measured({ rows, labels: [], section, options: { profile: 'late' } })).rejects.toThrow(
      'The config has no profile late; it has: early.',
    );
  });

  it('gives the digest of the alerts that were complete in the range', async () => {
    const rows = 'A300@0 B300@1 B300@2';
    const all = await measured({ rows, labels: [] });
    const part = await measured({ rows, labels: [], section: 'from: 1970-01-02' });
    expect(part.digest).not.toBe(all.digest);
  });
});

describe('figures of a back-test', () => {
  const money = 'amount: amount\namountUnits: 10';

  it('tell how soon a fraud is noticed, and what that saves', async () => {
    // Two cases of A, a month apart, and one of B that nobody notices.
    const rows = 'A50@0 A300@1 A100@2 A400@40 B100@41';
    const labels = [0, 1, 2, 3, 4].map((n) => ({ id: `p${n}` }));
    const { delay } = await measured({ rows, labels, section: money });
    expect(delay).toMatchObject({ episodes: 3, noticed: 2, eventsMean: 1.5, minutesMedian: 720 });
    expect(delay!.money).toEqual({ atStake: 95, accused: 70, saved: 10 });
  });

  it('take cases from the labels, and leave out those that began before the range', async () => {
    const rows = 'A300@0 A300@5 B10@6 C300@7';
    const labels = ['x', 'x', 'y', 'y'].map((group, n) => ({ id: `p${n}`, group }));
    const { delay } = await measured({ rows, labels, section: 'labels.episode: group\nfrom: 1970-01-03' });
    expect(delay).toMatchObject({ episodes: 1, noticed: 1, eventsMedian: 2, minutesMedian: 1440, money: null });
  });

  it('hold alerts a day against what analysts can do', async () => {
    const rows = 'A300@0.1 B300@0.2 C300@0.3 D1@1.5 E300@2.5';
    const { workload } = await measured({ rows, labels: [{ id: 'p0' }], section: 'capacity: 1' });
    expect(workload).toMatchObject({ days: 3, alertsMean: 4 / 3, alertsMedian: 1, alertsMax: 3 });
    expect(workload.capacity).toEqual({ perDay: 1, daysAbove: 1, backlogMax: 2 });
    expect(workload.byDay[0]).toEqual({ day: 0, alerts: 3, right: 1 });
  });

  it('price each threshold', async () => {
    const rows = 'A1@0 A150@1 B300@2 C300@3 D70@4';
    const labels = ['p2', 'p4'].map((id) => ({ id }));
    const section = `${money}\nprice: {falseAlert: 4}`;
    const { cost } = await measured({ rows, labels, section, rules: [LARGE, PAIR] });
    expect(cost!.curve.map((point) => [point.threshold, point.cost])).toEqual([
      [Number.POSITIVE_INFINITY, 37],
      [80, 11],
      [50, 15],
    ]);
    expect(cost).toMatchObject({ best: { threshold: 80 }, withoutRules: 37, asItIs: 15 });
    const fixed = await measured({ rows, labels, section: 'price: {falseAlert: 4, missedFraud: 1}' });
    expect(fixed.cost).toMatchObject({ best: { cost: 2 }, withoutRules: 2, asItIs: 5 });
  });

  it('tell what each rule adds', async () => {
    const rows = 'A1@0 A300@1 B300@2 C1@3 C150@4';
    const labels = ['p1', 'p2'].map((id) => ({ id }));
    const { byRule, overlap } = await measured({ rows, labels, rules: [LARGE, PAIR] });
    expect(byRule.large).toMatchObject({ alerts: 2, accused: 2, precision: 1, recall: 1, onlyAccused: 1 });
    expect(byRule.pair).toMatchObject({ accused: 2, precision: 0.5, onlyAccused: 1, onlyTruePositives: 0 });
    expect(byRule.large!.marginal!.recall).toBeCloseTo(0.5, 12);
    expect(byRule.pair!.marginal!.precision).toBeCloseTo(2 / 3 - 1, 12);
    expect(overlap).toEqual([
      [2, 1],
      [1, 2],
    ]);
  });

  it('say what another rule set would change', async () => {
    const rows = 'A1@0 A150@1 B300@2 C300@3 C250@3.5';
    const labels = ['p1', 'p2'].map((id) => ({ id }));
    const higher = LARGE.replace('200', '260');
    const { comparison, digest } = await measured({ rows, labels, rules: [higher, PAIR], baseline: [LARGE] });
    expect(comparison).toMatchObject({
      baseline: { accused: 3, truePositives: 1, alerts: 3 },
      new: { accused: 1, truePositives: 1, byRule: { pair: { accused: 1, truePositives: 1 } } },
      lost: { accused: 1, truePositives: 0, byRule: { large: { accused: 1 } } },
      common: { accused: 2, truePositives: 1, byRule: { large: { accused: 2, truePositives: 1 } } },
      rules: { added: ['pair'], changed: ['large'], removed: [] },
    });
    expect(comparison!.difference.recall).toBeCloseTo(0.5, 12);
    expect(comparison!.new.samples).toEqual([
      { id: 'p1', time: DAY, amount: 0, isFraud: true, rule: 'pair', key: 'A', message: 'pair' },
    ]);
    expect(comparison!.common.samples).toMatchObject([
      { id: 'p2', isFraud: true, rule: 'large', key: 'B', message: 'large' },
      { id: 'p3', isFraud: false, rule: 'large', key: 'C', message: 'large' },
    ]);
    const same = await measured({ rows, labels, rules: [LARGE, PAIR], baseline: [LARGE] });
    expect(same.comparison!.common.samples[0]).toMatchObject({ id: 'p2', key: 'B', message: 'large' });
    expect(digest).toBe((await measured({ rows, labels, rules: [higher, PAIR] })).digest);
  });

  it('of a sweep are those of the same rules one by one', async () => {
    const rows = 'A1@0 A150@1 B300@2 C210@3 D250@4';
    const labels = ['p1', 'p2', 'p4'].map((id) => ({ id }));
    const swept = LARGE.replace('200', `$${'{'}least:220}`);
    const values = [100, 140, 180, 220, 260, 300];
    const { sweep } = await tried({ rows, labels, rules: [swept, PAIR], sweep: [`least=${values.join(',')}`] });
    for (const [index, value] of values.entries()) {
      const alone = await measured({ rows, labels, rules: [LARGE.replace('200', String(value)), PAIR] });
      expect(sweep!.points[index]).toMatchObject(alone.detection!);
      expect(sweep!.points[index]!.averagePrecision).toBeCloseTo(alone.averagePrecision!, 12);
    }
    expect(sweep).toMatchObject({ chosen: 3, best: 3 });
  });

  it('show the same alerts of each rule whatever the order', async () => {
    const rows = Array.from({ length: 12 }, (_, day) => `A300@${day}`).join(' ');
    const { done } = await tried({ rows, labels: [{ id: 'p3' }] });
    const samples = done.findings.samples.get(0)!;
    expect(samples.right.map((alert) => alert.steps[0]!.events[0]!.id)).toEqual(['p3']);
    expect(samples.wrong.map((alert) => alert.id)).toEqual(samples.wrong.map((alert) => alert.id).sort());
    expect(samples.wrong.length).toBe(5);
  });
});
