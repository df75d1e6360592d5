import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageDto } from '../paging/page.js';
import type { ListStatus } from './list-control.js';

export class ListChangedDto {
  @ApiProperty({ type: Number, description: 'Milliseconds since 1970.' })
  readonly at!: number;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty({ type: String })
  readonly message!: string;
}

export class ListDto implements ListStatus {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: ['set', 'map'] })
  readonly kind!: ListStatus['kind'];

  @ApiProperty({ type: Number })
  readonly entries!: number;

  @ApiProperty({ type: String, description: 'Names what it holds, in the journal too; the ETag.' })
  readonly digest!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Where it is read; null: it is filled over HTTP.' })
  readonly source!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it cannot be read there now.' })
  readonly trouble!: string | null;

  @ApiProperty({ type: ListChangedDto, nullable: true })
  readonly changed!: ListChangedDto | null;

  @ApiProperty({ type: [String], description: 'Rules that ask it.' })
  readonly usedBy!: readonly string[];
}

export class ListPageDto extends PageDto {
  @ApiProperty({ type: [ListDto] })
  readonly items!: readonly ListDto[];
}

export class ListChangeDto {
  @ApiPropertyOptional({
    description: 'Entries to put: a list of texts or numbers; of a map an object of keys and values.',
    oneOf: [
      { type: 'array', items: {} },
      { type: 'object', additionalProperties: true },
    ],
  })
  readonly put?: unknown;

  @ApiPropertyOptional({ type: [String], description: 'Entries, or keys, to take away.' })
  readonly remove?: readonly string[];
}

export class PutEntryDto {
  @ApiPropertyOptional({
    description: 'Of a map: a text or a number.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  })
  readonly value?: unknown;
}

export class ListValueDto {
  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null: the list is a set.' })
  readonly value!: string | null;
}
