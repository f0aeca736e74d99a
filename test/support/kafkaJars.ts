import { readdirSync } from "node:fs";
import { mavenJars, remedy } from "./mavenJars.ts";

export const kafkaVersion = "4.1.0";

const pom = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>weir</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** The folder of Apache Kafka's jars (43 MB). */
export const kafkaJars = (): Promise<string> =>
  mavenJars(`kafka-${kafkaVersion}`, pom, {
    begins: (folder) =>
      process.stderr.write(`kafka  copying Apache Kafka ${kafkaVersion} from Maven Central to ${folder}\n`),
    check(lib) {
      if (!readdirSync(lib).includes(`kafka_2.13-${kafkaVersion}.jar`))
        throw new Error(`Cannot copy Apache Kafka ${kafkaVersion}: Maven wrote no broker jar, expected one\n${remedy}`);
    },
  });
