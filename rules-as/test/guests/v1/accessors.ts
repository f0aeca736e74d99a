// Not a rule for anybody: says everything that a rule can ask of a transaction, a line each. Its module of the day on
// which frame v1 and ABI v1 were fixed lies beside it and must give the same answers on every later engine.
import { Severity, Tx, alert, describe, filter, score, severity, tag } from "@weir/rules";

describe("Touches every accessor of frame v1");
severity(Severity.Critical);
filter.chain(1).chain(31337);

export function onTx(tx: Tx): void {
  alert(
    Severity.Info,
    [
      `hash=${tx.hash}`,
      `chainId=${tx.chainId}`,
      `from=${tx.from}`,
      `to=${tx.hasTo ? tx.to.toString() : "none"}`,
      `isCreation=${tx.isCreation}`,
      `value=${tx.value}`,
      `nonce=${tx.nonce}`,
      `type=${tx.type}`,
      `gas=${tx.gas}`,
      `gasPrice=${tx.hasGasPrice ? tx.gasPrice.toString() : "none"}`,
      `maxFeePerGas=${tx.hasMaxFeePerGas ? tx.maxFeePerGas.toString() : "none"}`,
      `maxPriorityFeePerGas=${tx.hasMaxPriorityFeePerGas ? tx.maxPriorityFeePerGas.toString() : "none"}`,
      `effectiveGasPrice=${tx.hasEffectiveGasPrice ? tx.effectiveGasPrice.toString() : "none"}`,
      `gasUsed=${tx.hasGasUsed ? tx.gasUsed.toString() : "none"}`,
      `fee=${tx.fee}`,
    ].join("\n"),
  );
  alert(
    Severity.Low,
    [
      `isPending=${tx.isPending}`,
      `isMined=${tx.isMined}`,
      `blockNumber=${tx.blockNumber}`,
      `blockHash=${tx.blockHash}`,
      `transactionIndex=${tx.transactionIndex}`,
      `hasBlock=${tx.hasBlock}`,
      `blockTimestamp=${tx.blockTimestamp}`,
      `baseFeePerGas=${tx.baseFeePerGas}`,
      `miner=${tx.miner}`,
      `blockGasUsed=${tx.blockGasUsed}`,
      `blockGasLimit=${tx.blockGasLimit}`,
      `blockTransactionCount=${tx.blockTransactionCount}`,
      `seenAt=${tx.hasSeenAt ? tx.seenAt.toString() : "none"}`,
      `hasReceipt=${tx.hasReceipt}`,
      `status=${tx.status}`,
      `failed=${tx.failed}`,
      `succeeded=${tx.succeeded}`,
      `cumulativeGasUsed=${tx.cumulativeGasUsed}`,
      `contractAddress=${tx.hasContractAddress ? tx.contractAddress.toString() : "none"}`,
    ].join("\n"),
  );
  alert(
    Severity.Medium,
    [
      `inputLength=${tx.inputLength}`,
      `input=${tx.input}`,
      `selector=${tx.hasSelector ? tx.selector.toString(16) : "none"}`,
      `arg0=${tx.hasArg(0) ? tx.arg(0).toString() : "none"}`,
      `arg1=${tx.hasArg(1) ? tx.arg(1).asU256().toString() : "none"}`,
      `logCount=${tx.logCount}`,
      `accessListCount=${tx.accessListCount}`,
    ].join("\n"),
  );
  // backwards and forwards: the place of the last log is remembered between calls
  for (let i = tx.logCount; i > 0; --i) tag(`${i - 1}:${tx.log(i - 1).logIndex}`);
  for (let i: u32 = 0; i < tx.logCount; ++i) {
    const log = tx.log(i);
    const lines = [`address=${log.address}`, `logIndex=${log.logIndex}`, `data=${log.data}`];
    for (let t: u32 = 0; t < log.topicCount; ++t) lines.push(`topic${t}=${log.topic(t)}`);
    if (log.hasWord(0)) lines.push(`word0=${log.word(0)}`);
    if (!log.topic(4).isZero || !log.word(1000).isZero) lines.push("wrong");
    alert(Severity.High, lines.join("\n"));
  }
  for (let i: u32 = 0; i < tx.accessListCount; ++i) {
    const entry = tx.accessListEntry(i);
    const lines = [`address=${entry.address}`];
    for (let k: u32 = 0; k < entry.keyCount; ++k) lines.push(`key${k}=${entry.key(k)}`);
    alert(Severity.Critical, lines.join("\n"));
  }
  score(0.5);
}
