import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import org.jetbrains.kotlin.abi.tools.AbiFilters;
import org.jetbrains.kotlin.abi.tools.AbiTools;
import org.jetbrains.kotlin.abi.tools.AbiToolsFactory;

/** Prints the public API of the Kotlin classes in a folder. */
class Dump {
    public static void main(String[] arguments) throws IOException {
        List<File> classes;
        try (var paths = Files.walk(Path.of(arguments[0]))) {
            classes = paths.filter(path -> path.toString().endsWith(".class")).sorted().map(Path::toFile).toList();
        }
        AbiTools tools = ServiceLoader.load(AbiToolsFactory.class).findFirst().orElseThrow().get();
        StringBuilder dump = new StringBuilder();
        tools.printJvmDump(dump, classes, new AbiFilters(Set.of(), Set.of(), Set.of(), Set.of()));
        System.out.print(dump);
    }
}
