/** One log of a receipt: a view of its bytes in the frame (layout in engine/frame/schema.ts). */
import { Address, Bytes, Bytes32, zeroBytes32 } from "./bytes";
import { LOG_address, LOG_dataLength, LOG_logIndex, LOG_topicCount, LOG_topics } from "./frame";

/** What a contract wrote while the transaction ran. */
@unmanaged
export class Log {
  /** The contract that wrote it. */
  get address(): Address {
    return changetype<Address>(changetype<usize>(this) + LOG_address);
  }

  /** Place within the block. */
  get logIndex(): u32 {
    return load<u32>(changetype<usize>(this), LOG_logIndex);
  }

  /** 0 to 4; the first says which event it is, the others are its indexed arguments. */
  get topicCount(): u32 {
    return load<u32>(changetype<usize>(this), LOG_topicCount);
  }

  /** Topic `i`; zero if the log has no such topic. Topic 0 says which event it is. */
  topic(i: u32): Bytes32 {
    if (i >= this.topicCount) return zeroBytes32();
    return changetype<Bytes32>(changetype<usize>(this) + LOG_topics + (<usize>i << 5));
  }

  /** Is topic 0 this event? `const TRANSFER = topic("Transfer(address,address,uint256)")` at the top level. */
  is(event: Bytes32): bool {
    return this.topicCount > 0 && this.topic(0) == event;
  }

  /** Bytes of the data. */
  get dataLength(): u32 {
    return load<u32>(changetype<usize>(this), LOG_dataLength);
  }

  /** What is not indexed, ABI-encoded. */
  get data(): Bytes {
    return new Bytes(this.dataPointer(), this.dataLength);
  }

  /** Word `i` of the data, 32 bytes each; zero unless all of it is there. */
  word(i: u32): Bytes32 {
    return this.hasWord(i) ? changetype<Bytes32>(this.dataPointer() + (<usize>i << 5)) : zeroBytes32();
  }

  /** Is all of word `i` of the data there? */
  hasWord(i: u32): bool {
    return i < this.dataLength >> 5;
  }

  private dataPointer(): usize {
    return changetype<usize>(this) + LOG_topics + (<usize>this.topicCount << 5);
  }
}
