import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ListKind } from '../../rules/index.js';
import { Allow } from '../access/allow.js';
import { Caller, type Principal } from '../access/principal.js';
import { ApiPage, checkQuery, pageOf, readPageQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody } from '../problems/problem.js';
import { ApiSignedInQuery, signatureOf } from '../rules/signed.js';
import { LISTS } from '../tokens.js';
import { foundIn, linesOf } from './entry-lines.js';
import { type ListControl, ListRefusedError, type ListStatus } from './list-control.js';
import { ListChangeDto, ListDto, ListPageDto, ListValueDto, PutEntryDto } from './lists.dto.js';
import { type ListQuery, sentChange, sentList, versionWanted } from './sent-lists.js';

const entryQuery = z.strictObject({
  q: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).optional(),
});

@ApiTags('lists')
@Controller('v1/lists')
@Allow('viewer')
export class ListsController {
  constructor(@Inject(LISTS) private readonly lists: ListControl | null) {}

  @Get()
  @ApiOperation({ summary: 'The reference lists, and which rules ask them' })
  @ApiPage()
  @ApiOkResponse({ type: ListPageDto })
  all(@Query() query: unknown): ListPageDto {
    return pageOf(this.control().status(), readPageQuery(query), ({ name }) => name);
  }

  @Get(':name')
  @ApiOperation({ summary: 'One list; its ETag names what it holds' })
  @ApiOkResponse({ type: ListDto })
  one(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply): ListDto {
    return tagged(this.statusOf(name), reply);
  }

  @Get(':name/entries')
  @Allow('analyst')
  @ApiOperation({ summary: 'Entries: one JSON text a line, of a map [key, value]' })
  @ApiQuery({ name: 'q', required: false, type: String, description: 'Text that is in the entry, or in its value' })
  @ApiQuery({ name: 'limit', required: false, type: Number, description: 'At most so many; else all' })
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({ schema: { type: 'string' } })
  entries(@Param('name') name: string, @Query() query: unknown, @Res() reply: FastifyReply): void {
    const { q = '', limit = Number.POSITIVE_INFINITY } = checkQuery(entryQuery, query);
    const { kind, digest } = this.statusOf(name);
    const table = this.control().tableOf(name)!;
    const lines = linesOf(foundIn(table.entries(), q, limit), kind);
    void reply.header('etag', etagOf(digest)).type('application/x-ndjson').send(Readable.from(lines));
  }

  @Get(':name/entries/:key')
  @Allow('analyst')
  @ApiOperation({ summary: 'One entry' })
  @ApiOkResponse({ type: ListValueDto })
  entry(@Param('name') name: string, @Param('key') key: string): ListValueDto {
    const { kind } = this.statusOf(name);
    const value = this.control().tableOf(name)!.get(key);
    if (value === undefined) throw notFound(`${key} is not in the list ${name}.`);
    return { key, value: kind === 'map' ? value : null };
  }

  @Put(':name')
  @Allow('approver')
  @ApiOperation({
    summary: 'Puts a whole list in the place of what is there',
    description:
      'JSON: an array, or an object for a map. text/plain: one entry a line. text/csv: key, value. `kind` in the query: set or map; else as the list is, or by the form of what is sent.',
  })
  @ApiQuery({ name: 'kind', required: false, enum: ['set', 'map'] })
  @ApiSignedInQuery()
  @ApiConsumes('application/json', 'text/plain', 'text/csv')
  @ApiBody({
    schema: {
      oneOf: [
        { type: 'array', items: {} },
        { type: 'object', additionalProperties: true },
      ],
    },
  })
  @ApiOkResponse({ type: ListDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 412, type: ProblemDto })
  put(
    @Param('name') name: string,
    @Body() body: unknown,
    @Query() query: ListQuery,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<ListDto> {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
      throw invalidInput('A list cannot have this name.', [
        { path: 'name', message: 'begins with a letter and has letters, digits, "_" and "-"' },
      ]);
    const sent = sentList(body, headers['content-type'], query, this.control().known.get(name));
    const act = () =>
      this.control().put(name, sent.kind, sent.table, versionWanted(headers), signatureOf(caller, query));
    return answered(act, reply);
  }

  @Patch(':name')
  @Allow('approver')
  @ApiOperation({ summary: 'Puts entries, and takes others away' })
  @ApiSignedInQuery()
  @ApiOkResponse({ type: ListDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 412, type: ProblemDto })
  change(
    @Param('name') name: string,
    @Body() body: ListChangeDto,
    @Query() query: ListQuery,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<ListDto> {
    const change = sentChange(body, this.kindOf(name));
    return answered(
      () => this.control().change(name, change, versionWanted(headers), signatureOf(caller, query)),
      reply,
    );
  }

  @Put(':name/entries/:key')
  @Allow('approver')
  @ApiOperation({ summary: 'Puts one entry; `value` in the body, of a map' })
  @ApiSignedInQuery()
  @ApiBody({ type: PutEntryDto, required: false })
  @ApiOkResponse({ type: ListDto })
  putEntry(
    @Param('name') name: string,
    @Param('key') key: string,
    @Body() body: PutEntryDto | undefined,
    @Query() query: ListQuery,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<ListDto> {
    const put = this.kindOf(name) === 'map' ? { [key]: body?.value } : [key];
    return this.change(name, { put }, query, headers, reply, caller);
  }

  @Delete(':name/entries/:key')
  @Allow('approver')
  @ApiOperation({ summary: 'Takes one entry away' })
  @ApiSignedInQuery()
  @ApiOkResponse({ type: ListDto })
  removeEntry(
    @Param('name') name: string,
    @Param('key') key: string,
    @Query() query: ListQuery,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<ListDto> {
    return this.change(name, { remove: [key] }, query, headers, reply, caller);
  }

  @Delete(':name')
  @Allow('approver')
  @HttpCode(204)
  @ApiOperation({ summary: 'Takes a list away that no rule asks; one of the settings is empty then' })
  @ApiSignedInQuery()
  @ApiNoContentResponse()
  @ApiResponse({ status: 409, type: ProblemDto })
  async drop(
    @Param('name') name: string,
    @Query() query: ListQuery,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Caller() caller: Principal,
  ): Promise<void> {
    await asProblems(() => this.control().drop(name, versionWanted(headers), signatureOf(caller, query)));
  }

  private statusOf(name: string): ListStatus {
    const status = this.control().statusOf(name);
    if (status === null) throw notFound(`There is no list ${name}.`);
    return status;
  }

  private kindOf(name: string): ListKind {
    return this.statusOf(name).kind;
  }

  private control(): ListControl {
    if (this.lists === null) throw notFound('Lists cannot be changed while this process runs.');
    return this.lists;
  }
}

const etagOf = (digest: string): string => `"${digest}"`;

function tagged(status: ListStatus, reply: FastifyReply): ListDto {
  void reply.header('etag', etagOf(status.digest));
  return status;
}

const answered = async (act: () => Promise<ListStatus>, reply: FastifyReply): Promise<ListDto> =>
  tagged(await asProblems(act), reply);

const STATUSES: Readonly<Record<ListRefusedError['code'], number>> = {
  LIST_UNKNOWN: 404,
  LIST_SOURCED: 409,
  LIST_IN_USE: 409,
  LIST_OTHER_KIND: 409,
  LIST_CHANGED: 412,
};

async function asProblems<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ListRefusedError)
      throw new Problem(problemBody(STATUSES[error.code], error.code, error.message), { cause: error });
    throw error;
  }
}
