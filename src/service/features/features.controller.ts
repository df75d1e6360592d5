import { Controller, Get, Inject, Query } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiQuery,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { z } from 'zod';
import type { FeatureRow } from '../../engine/index.js';
import { keysBy, type OtherKey, type Rule } from '../../rules/index.js';
import type { AlertEvent } from '../../runtime/ports/alert.js';
import { isPseudonym } from '../../runtime/task/alert/pseudonyms.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { AlertKeys } from '../alerts/alert-keys.js';
import { AsOfDto } from '../decisions/decision.dto.js';
import { StakeoutStrategy } from '../detection/index.js';
import { checkQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound } from '../problems/problem.js';
import { scalar, scalars } from '../schema-parts.js';
import { type AnsweredFeatures, KeyFeatureReader } from './key-features.js';

export class FeatureRowDto implements FeatureRow {
  @ApiProperty({ type: Number, format: 'int64', description: 'Event time in ms since 1970.' })
  readonly time!: number;

  @ApiProperty({
    ...scalar,
    description: "Of the feature's field; null: it is missing, or the feature has none.",
  })
  readonly value!: FeatureRow['value'];
}

@ApiExtraModels(FeatureRowDto)
export class KeyFeaturesDto implements AnsweredFeatures {
  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, description: 'The key of the pattern, or another that features of it are of.' })
  readonly keyField!: string;

  @ApiProperty({ type: Boolean, description: 'Something is known of the key.' })
  readonly isKnown!: boolean;

  @ApiProperty({
    ...scalars,
    description:
      'By the names that the rule has for them, those of keyField alone; null: missing. Empty: it reads none.',
  })
  readonly features!: AnsweredFeatures['features'];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { $ref: getSchemaPath(FeatureRowDto) } },
    description:
      'By the same names, the newest events that it counts, the newest first. Absent: they were not asked for.',
  })
  readonly events?: AnsweredFeatures['events'];

  @ApiProperty({ type: AsOfDto })
  readonly asOf!: AnsweredFeatures['asOf'];
}

export class FeaturesDto {
  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({
    type: String,
    example: 'accountId',
    description: 'The key of the pattern, or another that was asked.',
  })
  readonly keyField!: string;

  @ApiProperty({ type: String, description: 'Id of the pattern.' })
  readonly pattern!: string;

  @ApiProperty({
    type: [KeyFeaturesDto],
    description:
      'One for each topic that the rule runs on; as a rule that is one. Of an alert also those of other keys, as its last event has them.',
  })
  readonly items!: readonly KeyFeaturesDto[];
}

const EVENTS_MAX = 1000;

const events = z.coerce.number().int().min(0).max(EVENTS_MAX).default(0);
const name = z.string().min(1);
const query = z.strictObject({ key: name, pattern: name, keyField: name.optional(), events });
const ofAlert = z.strictObject({ alert: name, events });

@ApiTags('patterns')
@Controller('v1/features')
@Allow('analyst')
export class FeaturesController {
  constructor(
    @Inject(KeyFeatureReader) private readonly reader: KeyFeatureReader,
    @Inject(StakeoutStrategy) private readonly strategy: StakeoutStrategy,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
    @Inject(AlertKeys) private readonly keys: AlertKeys,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'What the features of a pattern are for a key now',
    description: 'As of the watermark, from the very state that the stream goes on with, wherever that is.',
  })
  @ApiQuery({
    name: 'alert',
    required: false,
    type: String,
    description: 'Id of an alert, in place of key and pattern: of its own. So its key need not be known.',
  })
  @ApiQuery({
    name: 'key',
    required: false,
    type: String,
    description: 'Value of what the pattern is keyed by, e.g. an account.',
  })
  @ApiQuery({ name: 'pattern', required: false, type: String, description: 'Id of the pattern.' })
  @ApiQuery({
    name: 'keyField',
    required: false,
    type: String,
    description:
      'Another key that features of the pattern are of, e.g. terminalId: these are told, for that value of it.',
  })
  @ApiQuery({
    name: 'events',
    required: false,
    type: Number,
    description: `How many of the newest events behind each feature to tell: 0 (none) to ${EVENTS_MAX}.`,
  })
  @ApiOkResponse({ type: FeaturesDto })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'No pattern of this id runs.' })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'Its state is being restored, or does not answer.' })
  async get(@Query() sent: unknown, @Caller() caller: Principal): Promise<FeaturesDto> {
    this.mask.refuse(caller);
    const asked = await this.asked(sent);
    const { key, pattern, last } = asked;
    const rule = this.strategy.rules().find(({ id }) => id === pattern);
    if (rule === undefined) throw notFound('No pattern of this id runs.');
    const { keyField = rule.key } = asked;
    const own = { key, other: otherKeyOf(rule, keyField) };
    const wanted = last === undefined ? [own] : [own, ...otherKeysAt(rule, last)];
    const items = await Promise.all(
      wanted.map(async ({ key, other }) => {
        const found = await this.reader.read(rule, key, asked.events, other);
        return found.map((item) => ({ key, keyField: other?.key ?? rule.key, ...item }));
      }),
    );
    return { key, keyField, pattern, items: items.flat() };
  }

  /** `last`: the last event of the alert that was asked by. */
  private async asked(sent: unknown): Promise<z.output<typeof query> & { readonly last?: AlertEvent | undefined }> {
    if (typeof sent !== 'object' || sent === null || !('alert' in sent)) return checkQuery(query, sent);
    const { alert, events } = checkQuery(ofAlert, sent);
    const { key, pattern, last } = await this.keys.subjectOf(alert);
    return { key, pattern, events, last };
  }
}

/** `undefined`: it is the rule's own. Throws a problem where the rule has nothing by it. */
function otherKeyOf({ key, otherKeys = [] }: Rule, keyField: string): OtherKey | undefined {
  const other = otherKeys.find((one) => one.key === keyField);
  if (other !== undefined || keyField === key) return other;
  const known = [key, ...otherKeys.map((one) => one.key)].join(', ');
  const message = `no feature of this pattern is of ${keyField}; it has ${known}`;
  throw invalidInput('The query does not hold.', [{ path: 'keyField', message }]);
}

interface AskedKey {
  readonly key: string;
  readonly other: OtherKey;
}

/** The values that an event has of the other keys of its rule; those with pseudonyms in their place cannot be asked for. */
function otherKeysAt({ otherKeys = [], streams }: Rule, { fields }: AlertEvent): readonly AskedKey[] {
  // An alert does not say which of several streams an event is of.
  const stream = streams.length === 1 ? streams[0]! : undefined;
  return otherKeys.flatMap((other) =>
    keysBy(other.keyBy)({ fields, ...(stream !== undefined && { stream }) })
      .filter((key) => !key.split('/').some(isPseudonym))
      .map((key) => ({ key, other })),
  );
}
