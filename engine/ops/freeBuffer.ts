import { MessageChannel } from "node:worker_threads";

/** What is sent to a port whose other side is closed is dropped there and then, and what was moved along with it. */
const { port1: nowhere, port2 } = new MessageChannel();
port2.close();

/**
 * Gives a buffer's memory back at once; views of it are empty from here on. Left to the garbage collector it counts as memory
 * that has grown, and every 64 MiB of that is a full collection, whatever the heap holds: for what is made once a round, of
 * megabytes, and belongs to nobody else.
 */
export function freeBuffer(buffer: ArrayBufferLike): void {
  nowhere.postMessage(null, [buffer as ArrayBuffer]);
}
