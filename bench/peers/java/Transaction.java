import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** What the rules of the dense mix ask of a transaction, read out of its JSON by a streaming parser: no tree, no text that nobody asks for. */
public class Transaction {
  private static final JsonFactory FACTORY = new JsonFactory();
  private static final int SELECTOR_CHARS = 10;

  private int chainId;
  private String from;
  private String to;
  private String selector;
  private long nonce;
  private long value;
  private long gasPrice;

  public int getChainId() { return chainId; }
  public String getFrom() { return from; }
  public String getTo() { return to; }
  public String getSelector() { return selector; }
  public long getNonce() { return nonce; }
  public long getValue() { return value; }
  public long getGasPrice() { return gasPrice; }

  /** Fills this one: it may be used again for the next record. */
  public Transaction read(byte[] json) {
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "chainId" -> chainId = parser.getIntValue();
          case "from" -> from = parser.getText();
          case "to" -> to = parser.getText();
          case "input" -> selector = start(parser);
          case "nonce" -> nonce = quantity(parser);
          case "value" -> value = quantity(parser);
          case "gasPrice" -> gasPrice = quantity(parser);
          default -> parser.skipChildren();
        }
      }
      return this;
    } catch (IOException error) {
      throw new IllegalArgumentException("Cannot read a transaction: " + error.getMessage(), error);
    }
  }

  private static String start(JsonParser parser) throws IOException {
    return new String(
        parser.getTextCharacters(), parser.getTextOffset(), Math.min(parser.getTextLength(), SELECTOR_CHARS));
  }

  /** 0x and hex digits; the mix has no value above 2^62. */
  private static long quantity(JsonParser parser) throws IOException {
    char[] text = parser.getTextCharacters();
    int at = parser.getTextOffset() + 2;
    int end = parser.getTextOffset() + parser.getTextLength();
    if (end - at > 15 && !(end - at == 16 && text[at] < '8'))
      throw new IllegalArgumentException("Cannot hold \"" + parser.getText() + "\" in 63 bits");
    long number = 0;
    for (; at < end; at++) number = number << 4 | Character.digit(text[at], 16);
    return number;
  }
}
