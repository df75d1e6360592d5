import { Inject, Injectable } from '@nestjs/common';
import type { OtherKey, Rule } from '../../rules/index.js';
import { toldName } from '../../rules/told-features.js';
import type { FeatureQuestion, KeyFeatures, Question } from '../../runtime/detector.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import { partitionName, type TopicPartition, type TopicSelection } from '../../runtime/ports/log.js';
import { Decisions } from '../decisions/decisions.js';
import { notFound, unavailable } from '../problems/problem.js';
import { PLACE_OF } from '../tokens.js';
import type { PlaceOf } from './rule-place.js';

/** What one partition knows. */
export interface AnsweredFeatures extends KeyFeatures {
  readonly asOf: TopicPartition & { readonly position: number; readonly watermark: number | null };
}

const NOTHING = new Uint8Array();

/** Asks the partition of a key what the features of a rule are for it, wherever that partition is. */
@Injectable()
export class KeyFeatureReader {
  constructor(
    @Inject(Decisions) private readonly decisions: Decisions,
    @Inject(PLACE_OF) private readonly placeOf: PlaceOf | null,
  ) {}

  /**
   * Of each topic that the rule reads the partition that knows the key; of none, where it could be. `other`: the key is of these features
   * of the rule. Throws problems.
   */
  async read(rule: Rule, key: string, events = 0, other?: OtherKey): Promise<readonly AnsweredFeatures[]> {
    if (this.placeOf === null) throw notFound('It is not known here where rules run.');
    const { topics, isByKey } = this.placeOf(rule, other);
    const told = other && toldNames(rule, other);
    const question = { pattern: rule.id, key, ...(events > 0 && { events }), ...(told && { told }) };
    const found = await Promise.all(
      (await this.topicsOf(topics)).map((topic) => this.inTopic(topic, question, isByKey)),
    );
    return found.flat();
  }

  private async inTopic(
    topic: string,
    featuresOf: FeatureQuestion,
    isByKey: boolean,
  ): Promise<readonly AnsweredFeatures[]> {
    const bytes = Buffer.from(featuresOf.key);
    const partitions = await this.decisions.partitionsOf(topic);
    const candidates = isByKey ? [partitionOfKey(bytes, partitions)] : Array.from({ length: partitions }, (_, n) => n);
    const answers = await Promise.all(
      candidates.map((partition) => this.ask({ topic, partition, key: bytes, value: NOTHING, featuresOf })),
    );
    const known = answers.filter(({ isKnown }) => isKnown);
    return known.length > 0 ? known : answers.slice(0, 1);
  }

  private async ask(question: Question): Promise<AnsweredFeatures> {
    const answer = await this.decisions.ask(question);
    const state = `The state of ${partitionName(question)}`;
    if (answer === null)
      throw unavailable(
        'NOT_HERE',
        `${state} is being restored, or is with an instance that does not answer. Ask again in a moment.`,
      );
    if (answer.keyFeatures === null || answer.keyFeatures === undefined)
      throw unavailable('NOT_HERE', `${state} is not of this rule yet. Ask again in a moment.`);
    return { ...answer.keyFeatures, asOf: answer.asOf };
  }

  private async topicsOf(topics: TopicSelection): Promise<readonly string[]> {
    if ('names' in topics) return topics.names;
    const isRead = topicFilter(topics);
    return (await this.decisions.topicNames()).filter(isRead);
  }
}

const toldNames = ({ features = [] }: Rule, { key }: OtherKey): FeatureQuestion['told'] =>
  Object.fromEntries(
    features.filter(({ feature }) => feature.of === key).map(({ name, feature }) => [name, toldName(feature)]),
  );
