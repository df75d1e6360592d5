import { LARGE, PAIR, removeFiles, tried } from '../testing/kit.js';
import { csvOf } from './csv.js';
import { reportOf } from './report.js';

afterAll(removeFiles);

const SWEPT = LARGE.replace('200', `$${'{'}least:200}`);
const all = {
  rows: 'A1@0 A300@1 B300@2 C1@3 C150@4 D20@5',
  labels: [
    { id: 'p1', kind: '<b>"x"' },
    { id: 'p2', kind: 'y' },
    { id: 'p5', kind: 'y' },
  ],
  section: 'amount: amount\ncapacity: 1\nprice: {falseAlert: 5}\nlabels.scenario: kind',
  rules: [SWEPT, PAIR],
  baseline: [PAIR],
  sweep: ['least=100..400:4'],
};

describe('the report of a back-test', () => {
  it('is one document that needs nothing else', async () => {
    const text = reportOf(await tried(all), { title: 'A & B', parity: 'The live alerts are the same.' });
    expect(text).toMatch(/^<!doctype html>/);
    expect(text).not.toMatch(/<script|<link|@import|src=|href=|url\(/);
    expect(text).toContain('Back-test of A &#38; B');
    expect(text).toContain('The live alerts are the same.');
    for (const title of [
      'By kind of fraud',
      'Rules',
      'Alerts a day',
      'How soon',
      'Cost',
      'Against the baseline',
      'Sweep',
      'Sample alerts',
    ]) {
      expect(text).toContain(`<h2>${title}</h2>`);
    }
  });

  it('closes what it opens, and lets no text of the data through as HTML', async () => {
    const text = reportOf(await tried(all), { title: 'x', parity: null });
    expect(text).not.toContain('<b>"x"');
    const open: string[] = [];
    for (const [, end, name, own] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (own !== '/' && name !== 'meta') open.push(name!);
    }
    expect(open).toEqual([]);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says which colours are which, and draws both curves of the ranking', async () => {
    const text = reportOf(await tried(all), { title: 'x', parity: null });
    expect(text).toMatch(/class="right">rightly<.*class="wrong">wrongly</);
    for (const name of [
      'precision (share of the accused that is fraud) by recall',
      'frauds that is found by share of the genuine',
    ])
      expect(text).toContain(name);
  });

  it('writes the words of two marks at one point once, side by side', async () => {
    const text = reportOf(await tried({ ...all, sweep: ['least=200,250'] }), { title: 'x', parity: null });
    expect(text).toContain('as it is: least=200<');
    const same = reportOf(await tried({ ...all, sweep: ['least=190,200'] }), { title: 'x', parity: null });
    expect(same).toMatch(/as it is: least=200; best: least=190</);
  });

  it('says what is missing where there are no prices, no capacity and no frauds', async () => {
    const text = reportOf(await tried({ rows: 'A1@0', labels: [] }), { title: 'x', parity: null });
    for (const name of ['backtest.price', 'backtest.capacity', 'name no fraud in the scored range'])
      expect(text).toContain(name);
    expect(text).toContain('over 1 event.');
  });

  it('can do without labels, alerts and events', async () => {
    const text = reportOf(await tried({ rows: 'A1@0', labels: [] }), { title: 'x', parity: null });
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('the rows of a back-test', () => {
  it('are all that is accused, and all frauds that are not', async () => {
    const text = csvOf(await tried({ ...all, sweep: [], baseline: [] }));
    expect(text.split('\r\n')).toEqual([
      'id,time,score,fraud,scenario,detected,amount,card,rules',
      'p1,1970-01-02T00:00:00.000Z,80,true,"<b>""x""",1970-01-02T00:00:00.000Z,300,A,large pair',
      'p2,1970-01-03T00:00:00.000Z,80,true,y,1970-01-03T00:00:00.000Z,300,B,large',
      'p4,1970-01-05T00:00:00.000Z,50,false,,1970-01-05T00:00:00.000Z,150,C,pair',
      'p5,1970-01-06T00:00:00.000Z,,true,y,,20,D,',
      '',
    ]);
  });
});
