import { kafkaError } from "./errors.ts";

/** Turns one of the binding's callback calls into a promise; errors become KafkaErrors that name the action. */
export function promised<T>(action: string, call: (done: (error: unknown, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      call((error, result) => (error ? reject(kafkaError(action, error)) : resolve(result as T)));
    } catch (error) {
      reject(kafkaError(action, error));
    }
  });
}
