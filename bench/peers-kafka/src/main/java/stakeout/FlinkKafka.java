package stakeout;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.cep.CEP;
import org.apache.flink.cep.functions.PatternProcessFunction;
import org.apache.flink.cep.pattern.Pattern;
import org.apache.flink.cep.pattern.conditions.SimpleCondition;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/**
 * W1 as a Flink job, from a Kafka topic to another, exactly once: reads what is in the topic now, and ends.
 *
 * Arguments: brokers, topic, schema file, topic of alerts, group, parallelism, state (hashmap or rocksdb), folder for checkpoints,
 * time between checkpoints in ms.
 */
public final class FlinkKafka {
  /** The fields of a transaction that W1 needs. */
  public static final class Tx {
    public String id;
    public String account;
    public String type;
    public String country;
    public double amount;
    public long time;

    public Tx() {}
  }

  /** Decodes the fields of a Tx from plain Avro, and no others. */
  static final class TxSchema implements DeserializationSchema<Tx> {
    private static final List<String> READ = List.of("transactionId", "accountId", "eventTime", "type", "amount", "country");
    private final String writer;
    private transient GenericDatumReader<GenericRecord> reader;
    private transient BinaryDecoder decoder;
    private transient GenericRecord record;

    TxSchema(String writer) {
      this.writer = writer;
    }

    @Override
    public void open(InitializationContext context) {
      Schema written = new Schema.Parser().parse(writer);
      List<Schema.Field> fields = READ.stream().map(written::getField).map(f -> new Schema.Field(f, f.schema())).toList();
      reader = new GenericDatumReader<>(written, Schema.createRecord(written.getName(), null, written.getNamespace(), false, fields));
    }

    @Override
    public Tx deserialize(byte[] bytes) throws IOException {
      decoder = DecoderFactory.get().binaryDecoder(bytes, decoder);
      record = reader.read(record, decoder);
      Tx tx = new Tx();
      tx.id = record.get(0).toString();
      tx.account = record.get(1).toString();
      tx.time = (Long) record.get(2);
      tx.type = record.get(3).toString();
      tx.amount = (Double) record.get(4);
      tx.country = record.get(5).toString();
      return tx;
    }

    @Override
    public boolean isEndOfStream(Tx next) {
      return false;
    }

    @Override
    public TypeInformation<Tx> getProducedType() {
      return TypeInformation.of(Tx.class);
    }
  }

  static final class ToText extends PatternProcessFunction<Tx, String> {
    @Override
    public void processMatch(Map<String, List<Tx>> match, Context context, Collector<String> out) {
      StringBuilder text = new StringBuilder("{\"account\":\"").append(match.get("large").get(0).account).append("\",\"events\":[");
      String between = "\"";
      for (String step : List.of("large", "cash", "offshore")) {
        text.append(between).append(match.get(step).get(0).id).append('"');
        between = ",\"";
      }
      out.collect(text.append("]}").toString());
    }
  }

  static Pattern<Tx, ?> w1() {
    return Pattern.<Tx>begin("large")
        .where(SimpleCondition.of(t -> t.amount > 10000))
        .next("cash")
        .where(SimpleCondition.of(t -> t.type.equals("Withdrawal")))
        .followedBy("offshore")
        .where(SimpleCondition.of(t -> t.country.equals("OFFSHORE")))
        .within(Duration.ofMinutes(10));
  }

  static Configuration configuration(int parallelism, String state, String folder, String interval) {
    Configuration c = new Configuration();
    c.setString("pipeline.object-reuse", "true");
    c.setString("pipeline.generic-types", "false");
    c.setString("taskmanager.numberOfTaskSlots", "" + parallelism);
    c.setString("taskmanager.memory.managed.size", "512m");
    c.setString("state.backend.type", state);
    c.setString("execution.checkpointing.interval", interval + " ms");
    c.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    c.setString("execution.checkpointing.incremental", "" + state.equals("rocksdb"));
    c.setString("execution.checkpointing.dir", new File(folder).toURI().toString());
    return c;
  }

  public static void main(String[] args) throws Exception {
    String brokers = args[0];
    int parallelism = Integer.parseInt(args[5]);
    String schema = java.nio.file.Files.readString(java.nio.file.Path.of(args[2]), StandardCharsets.UTF_8);
    Configuration c = configuration(parallelism, args[6], args[7], args[8]);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(parallelism, c);
    KafkaSource<Tx> source =
        KafkaSource.<Tx>builder()
            .setBootstrapServers(brokers)
            .setTopics(args[1])
            .setGroupId(args[4])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setBounded(OffsetsInitializer.latest())
            .setValueOnlyDeserializer(new TxSchema(schema))
            .build();
    KafkaSink<String> sink =
        KafkaSink.<String>builder()
            .setBootstrapServers(brokers)
            .setRecordSerializer(
                KafkaRecordSerializationSchema.<String>builder().setTopic(args[3]).setValueSerializationSchema(new SimpleStringSchema()).build())
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(args[4])
            .setProperty("transaction.timeout.ms", "600000")
            .build();
    WatermarkStrategy<Tx> time = WatermarkStrategy.<Tx>forBoundedOutOfOrderness(Duration.ofSeconds(5)).withTimestampAssigner((t, at) -> t.time);
    CEP.pattern(env.fromSource(source, time, "transactions").keyBy(t -> t.account, Types.STRING), w1())
        .process(new ToText(), Types.STRING)
        .sinkTo(sink);
    env.execute("w1");
  }
}
