import com.espertech.esper.common.client.EPCompiled;
import com.espertech.esper.common.client.configuration.Configuration;
import com.espertech.esper.compiler.client.CompilerArguments;
import com.espertech.esper.compiler.client.EPCompilerProvider;
import com.espertech.esper.runtime.client.DeploymentOptions;
import com.espertech.esper.runtime.client.EPEventService;
import com.espertech.esper.runtime.client.EPRuntime;
import com.espertech.esper.runtime.client.EPRuntimeProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Statements of Esper's own language, one a line: its text, and by tab the values of its parameters as type:value. A text is compiled
 * once, and deployed for each statement that has it.
 */
final class EsperRules {
  /** @param subscriber what each statement calls with the event that matched, by the statement's number */
  static EPEventService deploy(Path file, Class<?> bean, IntFunction<Object> subscriber) throws Exception {
    List<String> statements = Files.readAllLines(file);
    Configuration configuration = new Configuration();
    configuration.getCommon().addEventType("Tx", bean);
    configuration.getCompiler().getByteCode().setAllowSubscriber(true);
    configuration.getRuntime().getThreading().setInternalTimerEnabled(false);
    configuration.getRuntime().getThreading().setListenerDispatchPreserveOrder(false);
    EPRuntime runtime = EPRuntimeProvider.getRuntime("bench", configuration);
    Map<String, EPCompiled> shapes = new HashMap<>();
    for (int i = 0; i < statements.size(); i++) {
      String[] parts = statements.get(i).split("\t", -1);
      EPCompiled shape = shapes.get(parts[0]);
      if (shape == null) {
        shape = EPCompilerProvider.getCompiler().compile(parts[0], new CompilerArguments(configuration));
        shapes.put(parts[0], shape);
      }
      DeploymentOptions options = new DeploymentOptions();
      options.setStatementSubstitutionParameter(statement -> {
        for (int p = 1; p < parts.length; p++) statement.setObject("p" + p, parameter(parts[p]));
      });
      runtime.getDeploymentService().deploy(shape, options).getStatements()[0].setSubscriber(subscriber.apply(i));
    }
    return runtime.getEventService();
  }

  /** int:1, long:1, string:x */
  private static Object parameter(String text) {
    String value = text.substring(text.indexOf(':') + 1);
    if (text.startsWith("int:")) return Integer.valueOf(value);
    return text.startsWith("long:") ? (Object) Long.valueOf(value) : value;
  }

  private EsperRules() {}
}
