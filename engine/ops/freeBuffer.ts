import { MessageChannel } from "node:worker_threads";

/** What is sent to a port whose other side is closed is dropped there and then, and what was moved along with it. */
const { port1: nowhere, port2 } = new MessageChannel();
port2.close();

/**
 * Gives buffers' memory back at once; views of them are empty from here on. Left to the garbage collector they count as memory
 * that has grown, and every 64 MiB of that is a full collection, whatever the heap holds: for what is large, or many, and belongs to nobody else.
 */
export function freeBuffers(buffers: Iterable<ArrayBufferLike>): void {
  nowhere.postMessage(null, [...new Set(buffers)] as ArrayBuffer[]);
}
