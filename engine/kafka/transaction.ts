import { type KafkaError, kafkaError } from "./errors.ts";
import type { Producer } from "./producer.ts";

/** A commit whose outcome is unknown is asked again so often. */
const COMMIT_ATTEMPTS = 5;

/**
 * Runs one transaction: begins it, has its records and offsets put in, commits.
 * @param action for the message of an error, as in "commit the ledger"
 * @throws KafkaError; unless it is `fenced` or `fatal` the transaction was aborted. Should that fail, too, it is the error's `cause`, and the
 *   next start's fencing ends the transaction
 */
export async function inTransaction(producer: Producer, action: string, putAll: () => Promise<void>): Promise<void> {
  await producer.begin();
  try {
    await putAll();
    await commitUntilKnown(producer);
  } catch (error) {
    const failed = kafkaError(action, error);
    if (failed.kind !== "fenced" && failed.kind !== "fatal") await abortQuietly(producer, failed);
    throw failed;
  }
}

/** Queues a record, waiting for room as long as it takes. */
export async function put(producer: Producer, ...record: Parameters<Producer["produce"]>): Promise<void> {
  while (!producer.produce(...record)) await producer.room();
}

/** A commit that timed out goes on where it was when it is called again: its outcome must not stay unknown. */
async function commitUntilKnown(producer: Producer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await producer.commit();
    } catch (error) {
      if ((error as KafkaError).kind !== "retry" || attempt === COMMIT_ATTEMPTS) throw error;
    }
  }
}

async function abortQuietly(producer: Producer, cause: KafkaError): Promise<void> {
  try {
    await producer.abort();
  } catch (error) {
    cause.cause = error;
  }
}
