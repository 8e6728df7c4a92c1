// What the sample's views use of SwiftUI, so that their names and types, and what they take from the model, are
// at least compiled where there is no iOS. Simpler than Apple's: most views have no type of their own for each
// content, and nothing is drawn.
@_exported import Combine
@_exported import Foundation

// MARK: views

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}

extension Never: View {
    public var body: Never { fatalError("a stand-in") }
}

extension Optional: View where Wrapped: View {
    public var body: Never { fatalError("a stand-in") }
}

/// In place of all of Apple's views.
public struct AnyView: View {
    nonisolated init() {}
    public var body: Never { fatalError("a stand-in") }
}

@resultBuilder public enum ViewBuilder {
    public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock() -> AnyView { AnyView() }
    public static func buildBlock<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock<each Content: View>(_ content: repeat each Content) -> AnyView { AnyView() }
    public static func buildEither<Content: View>(first: Content) -> AnyView { AnyView() }
    public static func buildEither<Content: View>(second: Content) -> AnyView { AnyView() }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { content }
}

@MainActor public protocol StandIn: View where Body == Never {}

extension StandIn {
    public var body: Never { fatalError("a stand-in") }
}

public struct Text: StandIn {
    public struct DateStyle: Sendable {
        public static let timer = DateStyle()
    }

    public init(verbatim: String) {}
    public init(_ date: Date, style: DateStyle) {}
}

public struct Label: StandIn {
    public init<Title: StringProtocol>(_ title: Title, systemImage: String) {}
}

public struct Form: StandIn {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
}

public struct HStack: StandIn {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
}

public enum HorizontalAlignment { case leading, center, trailing }

public struct VStack: StandIn {
    public init<Content: View>(alignment: HorizontalAlignment = .center, @ViewBuilder content: () -> Content) {}
}

public struct Spacer: StandIn {
    public init() {}
}

public struct Section: StandIn {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public init<Content: View, Header: View>(
        @ViewBuilder content: () -> Content, @ViewBuilder header: () -> Header
    ) {}
    public init<Content: View, Footer: View>(
        @ViewBuilder content: () -> Content, @ViewBuilder footer: () -> Footer
    ) {}
}

public struct ForEach: StandIn {
    public init<Data: RandomAccessCollection, Content: View>(
        _ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable {}
    public init<Data: RandomAccessCollection, ID: Hashable, Content: View>(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) {}
}

public struct ButtonRole: Equatable, Sendable {
    public static let destructive = ButtonRole()
}

public struct Button: StandIn {
    public init<Title: StringProtocol>(_ title: Title, action: @escaping @MainActor () -> Void) {}
    public init<Title: StringProtocol>(
        _ title: Title, role: ButtonRole?, action: @escaping @MainActor () -> Void
    ) {}
    public init<Content: View>(
        action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content
    ) {}
}

/// Apple's takes what is `Transferable`, such as a string.
public struct PasteButton: StandIn {
    public init(payloadType: String.Type, onPaste: @escaping ([String]) -> Void) {}
}

public struct ShareLink: StandIn {
    public init<Title: StringProtocol>(_ title: Title, item: String) {}
}

public struct ProgressView: StandIn {
    public init() {}
    public init<Title: StringProtocol>(_ title: Title) {}
}

public enum Axis { case horizontal, vertical }

public struct TextField: StandIn {
    public init<Title: StringProtocol>(_ title: Title, text: Binding<String>, axis: Axis) {}
}

public struct Picker: StandIn {
    public init<Title: StringProtocol, Value: Hashable, Content: View>(
        _ title: Title, selection: Binding<Value>, @ViewBuilder content: () -> Content
    ) {}
}

public struct NavigationStack: StandIn {
    public init<Content: View>(@ViewBuilder root: () -> Content) {}
}

// MARK: toolbars

@MainActor public protocol ToolbarContent {}

public struct ToolbarItemPlacement: Sendable {
    public static let cancellationAction = ToolbarItemPlacement()
}

public struct ToolbarItem: ToolbarContent {
    public init<Content: View>(placement: ToolbarItemPlacement, @ViewBuilder content: () -> Content) {}
}

@resultBuilder public enum ToolbarContentBuilder {
    public static func buildExpression<Content: ToolbarContent>(_ content: Content) -> Content { content }
    public static func buildBlock<Content: ToolbarContent>(_ content: Content) -> Content { content }
    public static func buildIf<Content: ToolbarContent>(_ content: Content?) -> Content? { content }
}

extension Optional: ToolbarContent where Wrapped: ToolbarContent {}

// MARK: what is said of views

public struct Font: Sendable {
    public static let headline = Font()
    public static let caption = Font()
}

public struct Style: Sendable {
    public static let red = Style()
    public static let secondary = Style()
}

public struct ButtonStyle: Sendable {
    public static let borderedProminent = ButtonStyle()
}

public struct TextSelectability: Sendable {
    public static let enabled = TextSelectability()
}

public enum Visibility { case automatic, visible, hidden }
public enum ContentMode { case fit, fill }

public struct AccessibilityTraits: Sendable {
    public static let isHeader = AccessibilityTraits()
}

public struct AccessibilityChildBehavior: Sendable {
    public static let combine = AccessibilityChildBehavior()
    public static let ignore = AccessibilityChildBehavior()
}

extension View {
    public func font(_ font: Font?) -> some View { AnyView() }
    public func foregroundStyle(_ style: Style) -> some View { AnyView() }
    public func buttonStyle(_ style: ButtonStyle) -> some View { AnyView() }
    public func textSelection(_ selectability: TextSelectability) -> some View { AnyView() }
    public func disabled(_ isDisabled: Bool) -> some View { AnyView() }
    public func autocorrectionDisabled(_ isDisabled: Bool = true) -> some View { AnyView() }
    public func aspectRatio(_ ratio: CGFloat?, contentMode: ContentMode) -> some View { AnyView() }
    public func tag<Value: Hashable>(_ value: Value) -> some View { AnyView() }
    public func navigationTitle<Title: StringProtocol>(_ title: Title) -> some View { AnyView() }
    public func toolbar<Content: ToolbarContent>(
        @ToolbarContentBuilder content: () -> Content
    ) -> some View { AnyView() }
    public func confirmationDialog<Title: StringProtocol, Actions: View>(
        _ title: Title, isPresented: Binding<Bool>, titleVisibility: Visibility,
        @ViewBuilder actions: () -> Actions
    ) -> some View { AnyView() }

    public func accessibilityLabel<Title: StringProtocol>(_ label: Title) -> some View { AnyView() }
    public func accessibilityHidden(_ isHidden: Bool) -> some View { AnyView() }
    public func accessibilityElement(children: AccessibilityChildBehavior) -> some View { AnyView() }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { AnyView() }

    public func onSubmit(_ action: @escaping () -> Void) -> some View { AnyView() }
    public func onOpenURL(perform action: @escaping (URL) -> Void) -> some View { AnyView() }
    public func onChange<Value: Equatable>(
        of value: Value, perform action: @escaping (Value) -> Void
    ) -> some View { AnyView() }
    public func task(_ action: @escaping @MainActor @Sendable () async -> Void) -> some View { AnyView() }
}

// MARK: state

@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    public var wrappedValue: Value {
        get { fatalError("a stand-in") }
        nonmutating set {}
    }
    public var projectedValue: Binding<Value> { self }

    public init(get: @escaping @MainActor () -> Value, set: @escaping @MainActor (Value) -> Void) {}

    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Binding<Part> {
        fatalError("a stand-in")
    }
}

@propertyWrapper public struct State<Value> {
    public var wrappedValue: Value {
        get { fatalError("a stand-in") }
        nonmutating set {}
    }
    public var projectedValue: Binding<Value> { fatalError("a stand-in") }

    public init(wrappedValue: Value) {}
}

@MainActor @propertyWrapper public struct StateObject<Object: ObservableObject> {
    public var wrappedValue: Object { fatalError("a stand-in") }

    public init(wrappedValue: @autoclosure @escaping () -> Object) {}
}

@MainActor @propertyWrapper public struct ObservedObject<Object: ObservableObject> {
    public var wrappedValue: Object

    public init(wrappedValue: Object) {
        self.wrappedValue = wrappedValue
    }
}

@propertyWrapper public struct SceneStorage<Value> {
    public var wrappedValue: Value {
        get { fatalError("a stand-in") }
        nonmutating set {}
    }
    public var projectedValue: Binding<Value> { fatalError("a stand-in") }

    public init(wrappedValue: Value, _ key: String) where Value == String {}
    public init(_ key: String) where Value == String? {}
}

public enum ScenePhase: Equatable, Sendable { case background, inactive, active }

public struct EnvironmentValues {
    public var scenePhase: ScenePhase { .active }
}

@propertyWrapper public struct Environment<Value> {
    public var wrappedValue: Value { fatalError("a stand-in") }

    public init(_ path: KeyPath<EnvironmentValues, Value>) {}
}

// MARK: apps, and UIKit's views

@MainActor @preconcurrency public protocol Scene {}

public struct WindowGroup: Scene {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
}

@MainActor @preconcurrency public protocol App {
    associatedtype Content: Scene
    var body: Content { get }
    init()
}

public struct RepresentableContext {}

@MainActor @preconcurrency public protocol UIViewRepresentable: View where Body == Never {
    associatedtype UIViewType
    associatedtype Coordinator = Void
    typealias Context = RepresentableContext
    func makeUIView(context: Context) -> UIViewType
    func updateUIView(_ view: UIViewType, context: Context)
    static func dismantleUIView(_ view: UIViewType, coordinator: Coordinator)
}

extension UIViewRepresentable {
    public var body: Never { fatalError("a stand-in") }
}
