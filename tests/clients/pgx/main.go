// pgx, the driver of Grafana: binary by default, statement cache, batches, cancel by context, pools that ping.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11"

var passed, failed int

func check(name string, run func(context.Context, *pgx.Conn) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, "")
	if err == nil {
		err = run(ctx, connection)
		_ = connection.Close(context.Background())
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

func failsWith(state string, err error) error {
	var fault *pgconn.PgError
	if !errors.As(err, &fault) {
		return fmt.Errorf("%v instead of %s", err, state)
	}
	return equal(fault.Code, state)
}

// sent is a value, and what an empty interface gets back.
type sent struct {
	sqlType string
	value   any
}

func values(mode pgx.QueryExecMode) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, connection *pgx.Conn) error {
		moment := time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)
		day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
		cases := []sent{
			{"int2", int16(-32768)}, {"int4", int32(2147483647)}, {"int8", int64(math.MinInt64)},
			{"float4", float32(0.5)}, {"float8", 0.1}, {"text", "it's \\ naïve 😀\n"}, {"text", ""},
			{"bool", true}, {"bool", false}, {"date", day}, {"timestamp", moment}, {"bytea", []byte{0, 1, 255}},
		}
		for _, one := range cases {
			for range 8 {
				got := reflect.New(reflect.TypeOf(one.value))
				row := connection.QueryRow(ctx, "SELECT $1::"+one.sqlType, mode, one.value)
				if err := row.Scan(got.Interface()); err != nil {
					return fmt.Errorf("%s: %w", one.sqlType, err)
				}
				if err := equal(got.Elem().Interface(), one.value); err != nil {
					return fmt.Errorf("%s: %w", one.sqlType, err)
				}
			}
			var none pgtype.Text
			row := connection.QueryRow(ctx, "SELECT $1::"+one.sqlType+"::text", mode, nil)
			if err := row.Scan(&none); err != nil || none.Valid {
				return fmt.Errorf("NULL of %s: %v %v", one.sqlType, none, err)
			}
		}
		var at time.Time
		if err := connection.QueryRow(ctx, "SELECT $1::timestamptz", mode, moment).Scan(&at); err != nil || !at.Equal(moment) {
			return fmt.Errorf("timestamptz: %v %v", at, err)
		}
		var number pgtype.Numeric
		if err := number.Scan("12345678901234567890.1230"); err != nil {
			return err
		}
		var text string
		if err := connection.QueryRow(ctx, "SELECT $1::numeric::text", mode, number).Scan(&text); err != nil {
			return err
		}
		if err := equal(text, "12345678901234567890.1230"); err != nil {
			return err
		}
		var back pgtype.Numeric
		if err := connection.QueryRow(ctx, "SELECT 12345678901234567890.1230", mode).Scan(&back); err != nil {
			return err
		}
		if plain, err := back.Value(); err != nil || plain != "12345678901234567890.1230" {
			return fmt.Errorf("numeric: %v %v", plain, err)
		}
		var id pgtype.UUID
		if err := connection.QueryRow(ctx, "SELECT $1::uuid", mode, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").Scan(&id); err != nil {
			return err
		}
		if err := equal(id.String(), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"); err != nil {
			return err
		}
		var period pgtype.Interval
		if err := connection.QueryRow(ctx, "SELECT interval '1 month 2 days 3 seconds'", mode).Scan(&period); err != nil {
			return err
		}
		return equal(period, pgtype.Interval{Microseconds: 3000000, Days: 2, Months: 1, Valid: true})
	}
}

func arrays(ctx context.Context, connection *pgx.Conn) error {
	var numbers []int32
	var texts []*string
	empty, plain := "", "a b"
	sql := "SELECT $1::int4[], $2::text[]"
	if err := connection.QueryRow(ctx, sql, []int32{1, 2, 3}, []*string{&plain, &empty, nil}).Scan(&numbers, &texts); err != nil {
		return err
	}
	if err := equal(numbers, []int32{1, 2, 3}); err != nil {
		return err
	}
	return equal(texts, []*string{&plain, &empty, nil})
}

func manyRows(ctx context.Context, connection *pgx.Conn) error {
	rows, err := connection.Query(ctx, "SELECT x, x::text, x::float8 FROM generate_series(1, $1) t(x)", 100000)
	if err != nil {
		return err
	}
	var total int64
	for rows.Next() {
		var number int64
		var text string
		var float float64
		if err := rows.Scan(&number, &text, &float); err != nil {
			return err
		}
		total += number
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return equal(total, int64(5000050000))
}

func batch(ctx context.Context, connection *pgx.Conn) error {
	work := &pgx.Batch{}
	for number := range 100 {
		work.Queue("SELECT $1::int4", number)
	}
	results := connection.SendBatch(ctx, work)
	defer results.Close()
	for number := range 100 {
		var got int
		if err := results.QueryRow().Scan(&got); err != nil {
			return err
		}
		if err := equal(got, number); err != nil {
			return err
		}
	}
	return nil
}

func faults(ctx context.Context, connection *pgx.Conn) error {
	for sql, state := range map[string]string{
		"SELECT 1/0": "22012", "SELECT nope": "42703", "SELEC 1": "42601", "SELECT * FROM nope": "42P01",
	} {
		_, err := connection.Exec(ctx, sql)
		if err := failsWith(state, err); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		var one int
		if err := connection.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
			return err
		}
	}
	return nil
}

func transactions(ctx context.Context, connection *pgx.Conn) error {
	transaction, err := connection.Begin(ctx)
	if err != nil {
		return err
	}
	savepoint, err := transaction.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = savepoint.Exec(ctx, "SELECT 1/0")
	if err := failsWith("22012", err); err != nil {
		return err
	}
	_, err = savepoint.Exec(ctx, "SELECT 1")
	if err := failsWith("25P02", err); err != nil {
		return err
	}
	if err := savepoint.Rollback(ctx); err != nil {
		return err
	}
	if _, err := transaction.Exec(ctx, "SELECT 1"); err != nil {
		return err
	}
	return transaction.Commit(ctx)
}

func cancelRequest(ctx context.Context, connection *pgx.Conn) error {
	timer := time.AfterFunc(500*time.Millisecond, func() {
		_ = connection.PgConn().CancelRequest(ctx)
	})
	defer timer.Stop()
	_, err := connection.Exec(ctx, endless)
	if err := failsWith("57014", err); err != nil {
		return err
	}
	var one int
	return connection.QueryRow(ctx, "SELECT 1").Scan(&one)
}

func timeout(ctx context.Context, connection *pgx.Conn) error {
	if _, err := connection.Exec(ctx, "SET statement_timeout = 300"); err != nil {
		return err
	}
	_, err := connection.Exec(ctx, endless)
	return failsWith("57014", err)
}

// severalStatements is what a Grafana panel does: the simple protocol, results in text, read to the end.
func severalStatements(ctx context.Context, connection *pgx.Conn) error {
	results, err := connection.PgConn().Exec(ctx, "SET TIMEZONE TO 'UTC'; SELECT 1 AS value; SELECT now() AS time").ReadAll()
	if err != nil {
		return err
	}
	if len(results) != 3 || results[1].CommandTag.String() != "SELECT 1" {
		return fmt.Errorf("%d results, %v", len(results), results[1].CommandTag)
	}
	return equal(results[2].FieldDescriptions[0].DataTypeOID, uint32(pgtype.TimestamptzOID))
}

func pool(ctx context.Context, _ *pgx.Conn) error {
	connections, err := pgxpool.New(ctx, "pool_max_conns=4")
	if err != nil {
		return err
	}
	defer connections.Close()
	if err := connections.Ping(ctx); err != nil {
		return err
	}
	answers := make(chan error, 50)
	for number := range 50 {
		go func() {
			var got int
			err := connections.QueryRow(ctx, "SELECT $1::int4", number).Scan(&got)
			if err == nil {
				err = equal(got, number)
			}
			answers <- err
		}()
	}
	for range 50 {
		if err := <-answers; err != nil {
			return err
		}
	}
	return nil
}

func main() {
	check("values, cached statements", values(pgx.QueryExecModeCacheStatement))
	check("values, cached descriptions", values(pgx.QueryExecModeCacheDescribe))
	check("values, described each time", values(pgx.QueryExecModeDescribeExec))
	check("values, in text", values(pgx.QueryExecModeExec))
	check("values, simple protocol", values(pgx.QueryExecModeSimpleProtocol))
	check("arrays", arrays)
	check("many rows", manyRows)
	check("batch", batch)
	check("errors", faults)
	check("transactions", transactions)
	check("cancel", cancelRequest)
	check("statement_timeout", timeout)
	check("several statements", severalStatements)
	check("pool", pool)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
