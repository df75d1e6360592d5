import { aService, FakeIngest } from '../testing/a-service.js';

describe('POST /v1/streams/{stream}/events', () => {
  it('goes to the stream of that name', async () => {
    const ingests = new Map([
      ['logins', new FakeIngest()],
      ['mute', null],
    ]);
    const { service } = await aService({ ingest: null, ingestOf: (name) => ingests.get(name) });
    try {
      const send = (stream: string) =>
        service.app.inject({ method: 'POST', url: `/v1/streams/${stream}/events`, payload: { id: 'a', amount: 1 } });
      await service.start();
      expect((await send('logins')).json()).toEqual({ accepted: 1, topic: 'transactions', ids: ['a'] });
      expect((await send('mute')).json()).toMatchObject({ status: 503, code: 'INGEST_OFF' });
      expect((await send('others')).statusCode).toBe(404);
    } finally {
      await service.stop();
    }
  });
});
