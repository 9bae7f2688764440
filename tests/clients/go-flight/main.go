// arrow-go's Flight SQL client, which is under ADBC's Go driver and Grafana's data source: statements, parameters, metadata,
// errors, cancel.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	rows    = 100_000
	many    = "SELECT x AS id, 'row ' || x AS name, CASE WHEN x > 5 THEN x END AS often FROM generate_series(1, 100000) t(x)"
	endless = "SELECT a, b, repeat('x', 100) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
)

var passed, failed int

func connect(ctx context.Context) (context.Context, *flightsql.Client, error) {
	addr := net.JoinHostPort(os.Getenv("PGHOST"), os.Getenv("FLIGHT_PORT"))
	client, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	ctx, err = client.Client.AuthenticateBasicToken(ctx, os.Getenv("PGUSER"), "none")
	return ctx, client, err
}

func check(name string, run func(context.Context, *flightsql.Client) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ctx, client, err := connect(ctx)
	if err == nil {
		err = run(ctx, client)
		_, closed := client.CloseSession(ctx, &flight.CloseSessionRequest{})
		err = errors.Join(err, closed, client.Close())
	}
	if err != nil {
		failed++
		fmt.Printf("FAILED: %s\n%v\n", name, err)
		return
	}
	passed++
}

func equal(got, expected any) error {
	if !reflect.DeepEqual(got, expected) {
		return fmt.Errorf("%#v instead of %#v", got, expected)
	}
	return nil
}

// failsWith takes the SQLSTATE from the details, as clients do that never see trailers.
func failsWith(code codes.Code, state string, err error) error {
	told, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("%v instead of %s", err, state)
	}
	for _, detail := range told.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return equal([]any{told.Code(), info.GetDomain(), info.GetReason()}, []any{code, "postgresql", state})
		}
	}
	return fmt.Errorf("%v has no details", told)
}

// fetch gives the rows of a result, as Go values.
func fetch(ctx context.Context, client *flightsql.Client, info *flight.FlightInfo) ([][]any, error) {
	var found [][]any
	for _, endpoint := range info.Endpoint {
		reader, err := client.DoGet(ctx, endpoint.GetTicket())
		if err != nil {
			return nil, err
		}
		defer reader.Release()
		for reader.Next() {
			record := reader.RecordBatch()
			for row := range int(record.NumRows()) {
				values := make([]any, record.NumCols())
				for column := range values {
					values[column] = record.Column(column).GetOneForMarshal(row)
				}
				found = append(found, values)
			}
		}
		if err := reader.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return found, nil
}

func query(ctx context.Context, client *flightsql.Client, sql string) ([][]any, error) {
	info, err := client.Execute(ctx, sql)
	if err != nil {
		return nil, err
	}
	return fetch(ctx, client, info)
}

func statements(ctx context.Context, client *flightsql.Client) error {
	found, err := query(ctx, client, "SELECT 1::int8, 0.5::float8, 'naïve 😀', true, NULL::text")
	if err != nil {
		return err
	}
	if err := equal(found, [][]any{{int64(1), 0.5, "naïve 😀", true, nil}}); err != nil {
		return err
	}
	if found, err = query(ctx, client, many); err != nil {
		return err
	}
	if err := equal([]any{len(found), found[rows-1], found[0][2]}, []any{rows, []any{int32(rows), "row 100000", int32(rows)}, nil}); err != nil {
		return err
	}
	changed, err := client.ExecuteUpdate(ctx, "SET TimeZone = 'Asia/Tokyo'")
	if err != nil || changed != 0 {
		return fmt.Errorf("%d rows, %w", changed, err)
	}
	found, err = query(ctx, client, "SHOW TimeZone")
	return errors.Join(err, equal(found, [][]any{{"Asia/Tokyo"}}))
}

func parameters(ctx context.Context, client *flightsql.Client) error {
	prepared, err := client.Prepare(ctx, "SELECT $1::int8 * 2, $2::text || '!'")
	if err != nil {
		return err
	}
	if err := equal([]int{prepared.ParameterSchema().NumFields(), prepared.DatasetSchema().NumFields()}, []int{2, 2}); err != nil {
		return err
	}
	for n := range int64(3) {
		builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
			{Name: "1", Type: arrow.PrimitiveTypes.Int64}, {Name: "2", Type: arrow.BinaryTypes.String},
		}, nil))
		builder.Field(0).(*array.Int64Builder).Append(n)
		builder.Field(1).(*array.StringBuilder).Append(fmt.Sprint("value ", n))
		prepared.SetParameters(builder.NewRecordBatch())
		info, err := prepared.Execute(ctx)
		if err != nil {
			return err
		}
		found, err := fetch(ctx, client, info)
		if err := errors.Join(err, equal(found, [][]any{{n * 2, fmt.Sprintf("value %d!", n)}})); err != nil {
			return err
		}
	}
	return prepared.Close(ctx)
}

func metadata(ctx context.Context, client *flightsql.Client) error {
	text := func(value string) *string { return &value }
	info, err := client.GetTables(ctx, &flightsql.GetTablesOpts{DbSchemaFilterPattern: text("weather"), IncludeSchema: true})
	if err != nil {
		return err
	}
	tables, err := fetch(ctx, client, info)
	if err != nil {
		return err
	}
	names := map[any]bool{}
	for _, table := range tables {
		names[table[2]] = true
		described, err := flight.DeserializeSchema(table[4].([]byte), memory.DefaultAllocator)
		if err != nil || described.NumFields() == 0 {
			return fmt.Errorf("%v has no columns: %w", table[2], err)
		}
	}
	if !names["observations"] {
		return fmt.Errorf("no observations among %v", names)
	}
	for name, ask := range map[string]func() (*flight.FlightInfo, error){
		"catalogs":    func() (*flight.FlightInfo, error) { return client.GetCatalogs(ctx) },
		"table types": func() (*flight.FlightInfo, error) { return client.GetTableTypes(ctx) },
		"types":       func() (*flight.FlightInfo, error) { return client.GetXdbcTypeInfo(ctx, nil) },
		"schemas":     func() (*flight.FlightInfo, error) { return client.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{}) },
		"facts":       func() (*flight.FlightInfo, error) { return client.GetSqlInfo(ctx, nil) },
	} {
		info, err := ask()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if found, err := fetch(ctx, client, info); err != nil || len(found) == 0 {
			return fmt.Errorf("%s: %d rows, %w", name, len(found), err)
		}
	}
	return nil
}

func faults(ctx context.Context, client *flightsql.Client) error {
	for sql, expected := range map[string]struct {
		code  codes.Code
		state string
	}{
		"SELECT * FROM nowhere": {codes.NotFound, "42P01"},
		"SELEC 1":               {codes.InvalidArgument, "42601"},
		"SELECT 1 / 0":          {codes.InvalidArgument, "22012"},
		"CREATE INDEX ON x (y)": {codes.Unimplemented, "0A000"},
	} {
		_, err := query(ctx, client, sql)
		if err := failsWith(expected.code, expected.state, err); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	found, err := query(ctx, client, "SELECT 'alive'")
	return errors.Join(err, equal(found, [][]any{{"alive"}}))
}

func cancelled(ctx context.Context, client *flightsql.Client) error {
	info, err := client.Execute(ctx, endless)
	if err != nil {
		return err
	}
	reader, err := client.DoGet(ctx, info.Endpoint[0].GetTicket())
	if err != nil {
		return err
	}
	defer reader.Release()
	if !reader.Next() {
		return reader.Err()
	}
	result, err := client.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	if err != nil {
		return err
	}
	for reader.Next() {
	}
	return errors.Join(equal(result.GetStatus(), flight.CancelStatusCancelled), failsWith(codes.Canceled, "57014", reader.Err()))
}

func deadline(ctx context.Context, client *flightsql.Client) error {
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err := query(short, client, endless); err == nil {
		return errors.New("an endless statement ended well")
	}
	found, err := query(ctx, client, "SELECT 'alive'")
	return errors.Join(err, equal(found, [][]any{{"alive"}}))
}

func main() {
	check("statements", statements)
	check("parameters", parameters)
	check("metadata", metadata)
	check("errors", faults)
	check("a ticket cancels what it began", cancelled)
	check("a deadline ends a statement", deadline)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
