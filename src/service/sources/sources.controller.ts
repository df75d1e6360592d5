import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Put, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { isTree, type Tree } from '../../runtime/settings/tree.js';
import { SourceConflictError } from '../../runtime/sources/source-book.js';
import type { SourceKind } from '../../runtime/sources/source-chain.js';
import { Allow } from '../access/allow.js';
import { Caller, type Principal } from '../access/principal.js';
import { StreamsError } from '../compose/streams/topic-streams.js';
import { versionWanted } from '../lists/sent-lists.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody } from '../problems/problem.js';
import { ApiOnlyFrom, ApiSignedInQuery, signatureOf } from '../rules/signed.js';
import { SOURCES } from '../tokens.js';
import { SourceSettingsError } from './effective.js';
import { type SourceControl, SourceRefusedError, type SourceState } from './source-control.js';
import { PutSourceDto, SourceAuditDto, SourceDto } from './sources.dto.js';
import { withoutSecrets } from './without-secrets.js';

type Sent = Readonly<Record<string, string | undefined>>;

/** Streams and sinks that are registered, changed and taken away while the service runs. */
@Controller('v1')
@Allow('viewer')
export class SourcesController {
  constructor(@Inject(SOURCES) private readonly sources: SourceControl | null) {}

  @Get('streams/:name')
  @ApiTags('streams')
  @ApiOperation({ summary: 'One stream as it was written, and which rules read it' })
  @ApiOkResponse({ type: SourceDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  stream(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply): SourceDto {
    return this.one('stream', name, reply);
  }

  @Allow('operator')
  @Put('streams/:name')
  @ApiTags('streams')
  @ApiOperation({ summary: 'Registers a stream, or changes one; refused where a rule would not hold any more' })
  @ApiOnlyFrom()
  @ApiOkResponse({ type: SourceDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  putStream(
    @Param('name') name: string,
    @Body() body: PutSourceDto,
    @Headers() headers: Sent,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SourceDto> {
    return this.put('stream', name, body, { headers, caller, reply });
  }

  @Allow('operator')
  @Delete('streams/:name')
  @HttpCode(204)
  @ApiTags('streams')
  @ApiOperation({ summary: 'Takes a stream away that no rule reads' })
  @ApiSignedInQuery()
  @ApiNoContentResponse()
  @ApiResponse({ status: 409, type: ProblemDto })
  dropStream(
    @Param('name') name: string,
    @Query() query: Sent,
    @Headers() headers: Sent,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.drop('stream', name, query, headers, caller);
  }

  @Get('sinks/:name')
  @ApiTags('sinks')
  @ApiOperation({ summary: 'One sink as it was written, but for its secrets' })
  @ApiOkResponse({ type: SourceDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  sink(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply): SourceDto {
    return this.one('sink', name, reply);
  }

  @Allow('operator')
  @Put('sinks/:name')
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Registers a sink, or changes one; it goes on from where the one of that name had come' })
  @ApiOnlyFrom()
  @ApiOkResponse({ type: SourceDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  putSink(
    @Param('name') name: string,
    @Body() body: PutSourceDto,
    @Headers() headers: Sent,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SourceDto> {
    return this.put('sink', name, body, { headers, caller, reply });
  }

  @Allow('operator')
  @Delete('sinks/:name')
  @HttpCode(204)
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Takes a sink away' })
  @ApiSignedInQuery()
  @ApiNoContentResponse()
  @ApiResponse({ status: 404, type: ProblemDto })
  dropSink(
    @Param('name') name: string,
    @Query() query: Sent,
    @Headers() headers: Sent,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.drop('sink', name, query, headers, caller);
  }

  @Allow('approver')
  @Get('sources/audit')
  @ApiTags('streams')
  @ApiOperation({ summary: 'Reads the history of streams and sinks anew, and says whether anyone has changed it' })
  @ApiOkResponse({ type: SourceAuditDto })
  async audit(): Promise<SourceAuditDto> {
    const { damage, entries, head } = await this.control().audit();
    return { intact: damage === null, damage, entries, head };
  }

  private one(kind: SourceKind, name: string, reply: FastifyReply): SourceDto {
    const state = this.control().get(kind, name);
    if (state === null) throw notFound(`There is no ${kind} ${name}.`);
    return told(kind, state, reply);
  }

  private async put(
    kind: SourceKind,
    name: string,
    body: PutSourceDto,
    { headers, caller, reply }: { readonly headers: Sent; readonly caller: Principal; readonly reply: FastifyReply },
  ): Promise<SourceDto> {
    const control = this.control();
    const definition = definitionIn(body);
    if (kind === 'stream') refuseFile(definition);
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
      throw invalidInput('It cannot be called so.', [
        { path: 'name', message: 'a letter, then letters, digits, _ and -' },
      ]);
    return asProblems(async () => {
      const by = signatureOf(caller, body);
      if (body.dryRun !== true)
        return told(kind, await control.put(kind, name, definition, versionWanted(headers), by), reply);
      const whole = await control.whole(kind, name, definition);
      await control.check(kind, name, whole);
      const now = control.get(kind, name);
      const dry = { name, definition: whole, digest: now?.digest ?? '', origin: now?.origin ?? 'registered' } as const;
      return told(kind, { ...dry, changed: now?.changed ?? null, usedBy: now?.usedBy ?? [] }, reply);
    });
  }

  private drop(kind: SourceKind, name: string, query: Sent, headers: Sent, caller: Principal): Promise<void> {
    return asProblems(() => this.control().remove(kind, name, versionWanted(headers), signatureOf(caller, query)));
  }

  private control(): SourceControl {
    if (this.sources === null) throw notFound('Streams and sinks cannot be changed while this process runs.');
    return this.sources;
  }
}

function definitionIn(body: PutSourceDto | undefined): Tree {
  const { definition } = body ?? {};
  if (!isTree(definition)) throw invalidInput('What is it?', [{ path: 'definition', message: 'an object' }]);
  if (definition.schema !== undefined && !isTree(definition.schema))
    throw invalidInput('Which schema?', [{ path: 'definition.schema', message: 'the Avro schema as an object' }]);
  return definition;
}

/** A replay asks for the records of an offset again, which a file of this machine cannot give. */
function refuseFile(definition: Tree): void {
  if (definition.file === undefined) return;
  const message =
    'the service reads streams from topics, and tables through one: send the records to a topic, or back-test the file (stakeout backtest)';
  throw invalidInput('Files are streams of stakeout run and backtest.', [{ path: 'definition.file', message }], 422);
}

function told(kind: SourceKind, state: SourceState, reply: FastifyReply): SourceDto {
  void reply.header('etag', `"${state.digest}"`);
  return { ...state, definition: withoutSecrets(kind, state.definition) };
}

const STATUSES: Readonly<Record<SourceRefusedError['code'], number>> = {
  SOURCE_UNKNOWN: 404,
  SOURCE_IN_USE: 409,
  SOURCE_CHANGED: 412,
};

async function asProblems<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof SourceRefusedError) {
      const errors = error.rules.map(({ rule, why }) => ({ path: rule, message: why }));
      const more = errors.length === 0 ? [] : [errors];
      throw new Problem(problemBody(STATUSES[error.code], error.code, error.message, ...more), { cause: error });
    }
    if (error instanceof SourceConflictError)
      throw new Problem(problemBody(409, error.code, error.message), { cause: error });
    if (error instanceof StreamsError) throw invalidInput(error.message, [], 422);
    if (error instanceof SourceSettingsError) throw invalidInput('The definition does not hold.', error.errors, 422);
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    if (typeof code === 'string' && code.startsWith('AVRO_')) throw invalidInput(message, [], 422);
    throw error;
  }
}
